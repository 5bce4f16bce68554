#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::known;
use crate::{AssetId, Network, Scheme};
use alloy_primitives::{address, hex};

fn authorization() -> Authorization {
    Authorization {
        from: address!("2c7536E3605D9C16a7a3D7b1898e529396a65c23"),
        to: address!("209693Bc6afc0C5328bA36FaF03C514EF312287C"),
        value: U256::from(10_000),
        valid_after: U256::from(100),
        valid_before: U256::from(200),
        nonce: B256::repeat_byte(7),
    }
}

fn terms() -> Terms {
    let asset = AssetId { network: Network::eip155(84532), address: address!("036CbD53842c5426634e7929541eC2318f3dCF7e") };
    Terms { scheme: Scheme::Exact, asset, pay_to: authorization().to, amount: U256::from(10_000), max_timeout_seconds: 60 }
}

#[test]
fn pays_the_payee_exactly() {
    let (paid, terms) = (authorization(), terms());
    assert_eq!(pays(&paid, &terms), Ok(()));
    assert_eq!(pays(&Authorization { to: paid.from, ..paid.clone() }, &terms), Err(Reason::RecipientMismatch));
    for value in [U256::ZERO, U256::from(9_999), U256::from(10_001), U256::MAX] {
        assert_eq!(pays(&Authorization { value, ..paid.clone() }, &terms), Err(Reason::ValueMismatch), "{value}");
    }
    let free = Terms { amount: U256::ZERO, ..terms };
    assert_eq!(pays(&Authorization { value: U256::ZERO, ..paid }, &free), Err(Reason::ValueMismatch), "zero pays nothing");
}

/// EIP-3009: now must be after validAfter and before validBefore, both strictly.
#[test]
fn the_window_is_open_between_its_bounds() {
    let held = |now: u64, room: u64| window(&authorization(), Timestamp(now), room);
    assert_eq!(held(99, 0), Err(Reason::ValidAfter));
    assert_eq!(held(100, 0), Err(Reason::ValidAfter));
    assert_eq!(held(101, 0), Ok(()));
    assert_eq!(held(199, 0), Ok(()));
    assert_eq!(held(200, 0), Err(Reason::ValidBefore));
    assert_eq!(held(190, 9), Ok(()));
    assert_eq!(held(190, 10), Err(Reason::ValidBefore));
    assert_eq!(held(101, u64::MAX), Err(Reason::ValidBefore));
}

#[test]
fn the_window_does_not_overflow() {
    let ever = Authorization { valid_after: U256::ZERO, valid_before: U256::MAX, ..authorization() };
    assert_eq!(window(&ever, Timestamp(u64::MAX), u64::MAX), Ok(()));
    assert_eq!(window(&ever, Timestamp(0), 0), Err(Reason::ValidAfter));
    let never = Authorization { valid_after: U256::MAX, ..ever.clone() };
    assert_eq!(window(&never, Timestamp(u64::MAX), 0), Err(Reason::ValidAfter));
    let wrapped = Authorization { valid_before: U256::from(u64::MAX) + U256::from(1), ..ever };
    assert_eq!(window(&wrapped, Timestamp(u64::MAX), 0), Ok(()));
    assert_eq!(window(&wrapped, Timestamp(u64::MAX), 1), Err(Reason::ValidBefore));
}

#[test]
fn an_absent_transfer_method_is_eip3009() {
    let extra = |value: Value| Map::from_iter([("assetTransferMethod".to_owned(), value)]);
    assert!(by_eip3009(None));
    assert!(by_eip3009(Some(&Map::new())));
    assert!(by_eip3009(Some(&extra(json!("eip3009")))));
    for other in [json!("permit2"), json!("erc7710"), json!("EIP3009"), json!(""), json!(1), Value::Null] {
        assert!(!by_eip3009(Some(&extra(other.clone()))), "{other}");
    }
}

/// A vector of the official packages.
const SIGNATURE: [u8; 65] = hex!(
    "e140a2840c310a151a2cb8951f1316dc33be0cf4ad346cc3a04b0c8147c4e9e653265ff69af66be595adf82514a155b1da69451fcf4c7d2eca8a3f8e86ef4b271c"
);

fn authenticated(signature: &[u8], change: fn(&mut Authorization), asset: &Asset) -> Result<Authenticated, Reason> {
    let mut signed = Authorization {
        valid_after: U256::from(1_767_225_000),
        valid_before: U256::from(1_767_225_660),
        nonce: B256::from(hex!("f3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480")),
        ..authorization()
    };
    change(&mut signed);
    let separator = eip712::domain_separator(&asset.name, &asset.version, asset.id.network.chain_id().unwrap(), asset.id.address);
    authenticate(&ExactPayload { signature: Bytes::copy_from_slice(signature), authorization: signed }, asset, &separator)
}

fn usdc() -> Asset {
    known::network(&Network::eip155(84532)).unwrap().usdc.clone()
}

#[test]
fn the_payer_s_own_key_is_recovered() {
    let payment = authenticated(&SIGNATURE, |_| (), &usdc()).unwrap();
    assert_eq!(payment.proof(), Proof::Recovered);
    assert_eq!(payment.payer(), authorization().from);
    assert_eq!(payment.form(), &SignatureForm::Ecdsa(SIGNATURE));
    assert_eq!((&payment.key().network, payment.key().contract), (&usdc().id.network, usdc().id.address));
}

/// Whatever was changed after signing: nobody's signature here, so at most a contract's.
#[test]
fn a_changed_authorization_is_not_recovered() {
    let changes: [fn(&mut Authorization); 6] = [
        |a| a.from = a.to,
        |a| a.to = a.from,
        |a| a.value += U256::from(1),
        |a| a.valid_after += U256::from(1),
        |a| a.valid_before += U256::from(1),
        |a| a.nonce.0[31] ^= 1,
    ];
    for change in changes {
        assert_eq!(authenticated(&SIGNATURE, change, &usdc()).unwrap().proof(), Proof::ChainDecides);
    }
}

/// Attack A12: a signature for one token, name, version or chain is none for another.
#[test]
fn another_domain_is_not_recovered() {
    let others = [
        Asset { name: "USD Coin".to_owned(), ..usdc() },
        Asset { version: "1".to_owned(), ..usdc() },
        Asset { id: AssetId { network: Network::eip155(8453), ..usdc().id }, ..usdc() },
        Asset { id: AssetId { address: authorization().to, ..usdc().id }, ..usdc() },
    ];
    for other in others {
        assert_eq!(authenticated(&SIGNATURE, |_| (), &other).unwrap().proof(), Proof::ChainDecides, "{other:?}");
    }
}

#[test]
fn other_forms_are_the_chain_s_to_judge_and_broken_ones_nobody_s() {
    assert_eq!(authenticated(&SIGNATURE[..64], |_| (), &usdc()).unwrap().proof(), Proof::ChainDecides);
    let mut high_v = SIGNATURE;
    high_v[64] = 29;
    let magic = hex!("6492649264926492649264926492649264926492649264926492649264926492");
    for broken in [&high_v[..], &[], &magic] {
        assert_eq!(authenticated(broken, |_| (), &usdc()).map(|_| ()), Err(Reason::Signature));
    }
}
