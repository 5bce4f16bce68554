#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::collections::HashSet;

#[test]
fn the_table_stands_in_the_order_of_the_variants() {
    for (index, (reason, ..)) in TABLE.iter().enumerate() {
        assert_eq!(*reason as usize, index);
        assert_eq!(reason.row().0, *reason);
    }
    assert_eq!(Reason::AssetPaused as usize, TABLE.len() - 1, "the last variant has its row");
}

#[test]
fn codes_go_both_ways() {
    let codes: HashSet<_> = Reason::all().map(Reason::code).collect();
    assert_eq!(codes.len(), TABLE.len());
    for reason in Reason::all() {
        assert_eq!(Reason::from_code(reason.code()), Some(reason));
        assert!(reason.message().ends_with('.'), "{reason:?}");
    }
    assert_eq!(Reason::from_code("Invalid_Network"), None);
}

/// The names of x402 v2 §9.
#[test]
fn the_specification_s_codes_are_there() {
    let named = [
        "insufficient_funds",
        "invalid_exact_evm_payload_authorization_valid_after",
        "invalid_exact_evm_payload_authorization_valid_before",
        "invalid_exact_evm_payload_authorization_value_mismatch",
        "invalid_exact_evm_payload_signature",
        "invalid_exact_evm_payload_recipient_mismatch",
        "invalid_network",
        "invalid_payload",
        "invalid_payment_requirements",
        "invalid_scheme",
        "unsupported_scheme",
        "invalid_x402_version",
        "invalid_transaction_state",
        "unexpected_verify_error",
        "unexpected_settle_error",
    ];
    for code in named {
        assert!(Reason::from_code(code).is_some(), "{code}");
    }
}
