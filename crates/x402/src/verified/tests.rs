#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::{Address, Asset, AssetId, Authorization, B256, Bytes, ExactPayload, Network, Scheme, known};
use alloy_primitives::{address, hex};

const PAYEE: Address = address!("209693Bc6afc0C5328bA36FaF03C514EF312287C");

fn asset() -> Asset {
    known::network(&Network::eip155(84532)).unwrap().usdc.clone()
}

fn terms() -> Terms {
    Terms { scheme: Scheme::Exact, asset: asset().id, pay_to: PAYEE, amount: U256::from(10_000), max_timeout_seconds: 60 }
}

/// A vector of the official packages: 10000 units, valid from 1767225000 to 1767225660.
fn payment(signature: &[u8]) -> Authenticated {
    let usdc = asset();
    let authorization = Authorization {
        from: address!("2c7536E3605D9C16a7a3D7b1898e529396a65c23"),
        to: PAYEE,
        value: U256::from(10_000),
        valid_after: U256::from(1_767_225_000),
        valid_before: U256::from(1_767_225_660),
        nonce: B256::from(hex!("f3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480")),
    };
    let separator = crate::eip712::domain_separator(&usdc.name, &usdc.version, 84532, usdc.id.address);
    exact::authenticate(&ExactPayload { signature: Bytes::copy_from_slice(signature), authorization }, &usdc, &separator).unwrap()
}

const SIGNATURE: [u8; 65] = hex!(
    "e140a2840c310a151a2cb8951f1316dc33be0cf4ad346cc3a04b0c8147c4e9e653265ff69af66be595adf82514a155b1da69451fcf4c7d2eca8a3f8e86ef4b271c"
);

const FACTS: Facts = Facts {
    balance: U256::from_limbs([10_000, 0, 0, 0]),
    nonce_used: false,
    paused: false,
    payer_blacklisted: false,
    payer_has_code: false,
};

const NOW: Timestamp = Timestamp(1_767_225_600);

fn judged(evidence: Evidence) -> Result<(), Reason> {
    verify(payment(&SIGNATURE), terms(), evidence, NOW, 30).map(|_| ())
}

#[test]
fn a_recovered_signature_needs_only_facts() {
    assert_eq!(payment(&SIGNATURE).proof(), Proof::Recovered);
    assert_eq!(judged(Evidence::Facts(FACTS)), Ok(()));
    assert_eq!(judged(Evidence::Simulated(FACTS)), Ok(()));
    assert_eq!(judged(Evidence::Facilitator), Ok(()));
}

#[test]
fn what_only_a_chain_can_judge_is_not_verified_by_facts() {
    let foreign = || payment(&[1; 66]);
    assert_eq!(foreign().proof(), Proof::ChainDecides);
    assert_eq!(verify(foreign(), terms(), Evidence::Facts(FACTS), NOW, 30).map(|_| ()), Err(Reason::Signature));
    assert!(verify(foreign(), terms(), Evidence::Simulated(FACTS), NOW, 30).is_ok());
    assert_eq!(judged(Evidence::Facts(Facts { payer_has_code: true, ..FACTS })), Err(Reason::Signature));
    assert_eq!(judged(Evidence::Simulated(Facts { payer_has_code: true, ..FACTS })), Ok(()));
}

#[test]
fn each_fact_against_it_refuses() {
    let against = [
        (Facts { paused: true, ..FACTS }, Reason::AssetPaused),
        (Facts { payer_blacklisted: true, ..FACTS }, Reason::PayerBlocked),
        (Facts { nonce_used: true, ..FACTS }, Reason::AuthorizationUsed),
        (Facts { balance: U256::from(9_999), ..FACTS }, Reason::InsufficientFunds),
    ];
    for (facts, reason) in against {
        assert_eq!(judged(Evidence::Facts(facts)), Err(reason));
        assert_eq!(judged(Evidence::Simulated(facts)), Err(reason));
    }
}

/// Attacks A11, A12: an authorization of another token, network, payee or amount, or outside its window.
#[test]
fn other_terms_are_not_paid() {
    let against =
        |terms: Terms, now: Timestamp, room: u64| verify(payment(&SIGNATURE), terms, Evidence::Facilitator, now, room).map(|_| ());
    let other_chain = AssetId { network: Network::eip155(8453), ..asset().id };
    let other_token = AssetId { address: PAYEE, ..asset().id };
    assert_eq!(against(Terms { asset: other_chain, ..terms() }, NOW, 30), Err(Reason::Network));
    assert_eq!(against(Terms { asset: other_token, ..terms() }, NOW, 30), Err(Reason::Requirements));
    assert_eq!(against(Terms { pay_to: Address::ZERO, ..terms() }, NOW, 30), Err(Reason::RecipientMismatch));
    assert_eq!(against(Terms { amount: U256::from(10_001), ..terms() }, NOW, 30), Err(Reason::ValueMismatch));
    assert_eq!(against(terms(), Timestamp(1_767_225_000), 30), Err(Reason::ValidAfter));
    assert_eq!(against(terms(), NOW, 60), Err(Reason::ValidBefore));
}
