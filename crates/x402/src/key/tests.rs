#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use alloy_primitives::{address, b256};

#[test]
fn the_id_is_a_hash_of_the_canonical_key() {
    let key = PaymentKey {
        network: Network::eip155(84532),
        contract: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        payer: address!("2c7536E3605D9C16a7a3D7b1898e529396a65c23"),
        nonce: b256!("f3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480"),
    };
    // Computed with another library (eth-utils) over the text of the design.
    assert_eq!(key.id().to_string(), "pay_0c3952522660d7fefb9643ea6d43aede");
    assert_eq!(key.id().to_string().parse(), Ok(key.id()));
    let others = [
        PaymentKey { network: Network::eip155(8453), ..key.clone() },
        PaymentKey { contract: key.payer, ..key.clone() },
        PaymentKey { payer: key.contract, ..key.clone() },
        PaymentKey { nonce: B256::ZERO, ..key.clone() },
    ];
    for other in others {
        assert_ne!(other.id(), key.id(), "{other:?}");
    }
}

#[test]
fn ids_have_one_spelling() {
    let refused = [
        "",
        "pay_",
        "pay_0C3952522660d7fefb9643ea6d43aede",
        "PAY_0c3952522660d7fefb9643ea6d43aede",
        "0c3952522660d7fefb9643ea6d43aede",
        "pay_0c3952522660d7fefb9643ea6d43aed",
        "pay_0c3952522660d7fefb9643ea6d43aede0",
        "pay_0x3952522660d7fefb9643ea6d43aede",
        "pay_0c3952522660d7fefb9643ea6d43aedg",
        "pay_0c3952522660d7fefb9643ea6d43aede ",
    ];
    for text in refused {
        assert_eq!(text.parse::<PaymentId>(), Err(MalformedPaymentId), "{text:?}");
    }
}
