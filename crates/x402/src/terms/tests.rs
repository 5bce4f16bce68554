#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn requirements() -> PaymentRequirements {
    PaymentRequirements {
        scheme: "exact".to_owned(),
        network: "eip155:84532".to_owned(),
        amount: U256::from(10_000),
        asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e".to_owned(),
        pay_to: "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".to_owned(),
        max_timeout_seconds: 60,
        extra: None,
    }
}

#[test]
fn addresses_are_read_in_any_case() {
    let terms = Terms::try_from(&requirements()).unwrap();
    let mut lower = requirements();
    lower.asset = lower.asset.to_lowercase();
    lower.pay_to = lower.pay_to.to_lowercase();
    assert_eq!(Terms::try_from(&lower), Ok(terms));
}

/// Attack A12: what is not ours to take is a reason, never an error of grammar.
#[test]
fn what_is_not_built_is_a_reason() {
    let of = |change: fn(&mut PaymentRequirements)| {
        let mut offer = requirements();
        change(&mut offer);
        Terms::try_from(&offer)
    };
    assert_eq!(of(|offer| offer.scheme = "upto".to_owned()), Err(Reason::UnsupportedScheme));
    assert_eq!(of(|offer| offer.network = "base".to_owned()), Err(Reason::Network));
    assert_eq!(of(|offer| offer.network = "eip155:084532".to_owned()), Err(Reason::Network));
    assert_eq!(of(|offer| offer.network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp".to_owned()), Err(Reason::Network));
    assert_eq!(of(|offer| offer.asset = "USDC".to_owned()), Err(Reason::Requirements));
    assert_eq!(of(|offer| offer.asset = offer.asset[2..].to_owned()), Err(Reason::Requirements));
    assert_eq!(of(|offer| offer.pay_to = "0x00".to_owned()), Err(Reason::Requirements));
}
