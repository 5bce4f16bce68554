#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use alloy_primitives::{address, hex, keccak256};
use secp256k1::{PublicKey, SecretKey};

fn key() -> SecretKey {
    SecretKey::from_byte_array([7; 32]).unwrap()
}

fn signed(digest: B256) -> ([u8; 65], Address) {
    let context = Secp256k1::new();
    let (id, compact) = context.sign_ecdsa_recoverable(Message::from_digest(digest.0), &key()).serialize_compact();
    let mut signature = [0; 65];
    signature[..64].copy_from_slice(&compact);
    signature[64] = 27 + u8::try_from(i32::from(id)).unwrap();
    let public = PublicKey::from_secret_key(&context, &key()).serialize_uncompressed();
    (signature, Address::from_raw_public_key(&public[1..]))
}

fn with(mut signature: [u8; 65], range: std::ops::Range<usize>, bytes: &[u8]) -> Bytes {
    signature[range].copy_from_slice(bytes);
    Bytes::copy_from_slice(&signature)
}

#[test]
fn recovers_under_each_v() {
    let digest = keccak256("a digest");
    let (signature, signer) = signed(digest);
    for v in [signature[64], signature[64] - 27] {
        let mut other = signature;
        other[64] = v;
        assert_eq!(SignatureForm::parse(&Bytes::copy_from_slice(&other)), Ok(SignatureForm::Ecdsa(other)));
        assert_eq!(recover(&digest, &other), Some(signer));
    }
    let mut flipped = signature;
    flipped[64] ^= 27 ^ 28;
    assert_ne!(recover(&digest, &flipped), Some(signer));
    assert_ne!(recover(&keccak256("another"), &signature), Some(signer));
}

#[test]
fn v_must_be_one_of_four() {
    let (signature, _) = signed(keccak256("a digest"));
    for v in (2..27).chain(29..=255) {
        assert_eq!(SignatureForm::parse(&with(signature, 64..65, &[v])), Err(MalformedSignature), "{v}");
        let mut other = signature;
        other[64] = v;
        assert_eq!(recover(&keccak256("a digest"), &other), None, "{v}");
    }
}

#[test]
fn r_and_s_must_be_in_range() {
    let (signature, _) = signed(keccak256("a digest"));
    let word = |value: U256| value.to_be_bytes::<32>();
    let one = U256::from(1);
    let malformed = [
        ("r is zero", 0..32, U256::ZERO),
        ("r is the order", 0..32, ORDER),
        ("r is beyond the order", 0..32, U256::MAX),
        ("s is zero", 32..64, U256::ZERO),
        ("s is just high", 32..64, HALF_ORDER + one),
        ("s is the order", 32..64, ORDER),
        ("s is beyond the order", 32..64, U256::MAX),
    ];
    for (what, range, value) in malformed {
        assert_eq!(SignatureForm::parse(&with(signature, range, &word(value))), Err(MalformedSignature), "{what}");
    }
    for (range, value) in [(0..32, one), (0..32, ORDER - one), (32..64, one), (32..64, HALF_ORDER)] {
        assert!(matches!(SignatureForm::parse(&with(signature, range, &word(value))), Ok(SignatureForm::Ecdsa(_))), "{value}");
    }
    assert_eq!(HALF_ORDER, ORDER >> 1);
}

#[test]
fn the_other_s_is_refused() {
    let digest = keccak256("a digest");
    let (signature, signer) = signed(digest);
    let s = U256::from_be_slice(&signature[32..64]);
    let mut mirrored = signature;
    mirrored[32..64].copy_from_slice(&(ORDER - s).to_be_bytes::<32>());
    mirrored[64] ^= 27 ^ 28;
    assert_eq!(recover(&digest, &mirrored), Some(signer), "it is the same signer's");
    assert_eq!(SignatureForm::parse(&Bytes::copy_from_slice(&mirrored)), Err(MalformedSignature));
}

#[test]
fn a_signature_that_no_key_made_recovers_nobody() {
    // 5 is no x coordinate on the curve.
    let mut signature = [0; 65];
    (signature[31], signature[63], signature[64]) = (5, 1, 27);
    assert!(SignatureForm::parse(&Bytes::copy_from_slice(&signature)).is_ok());
    assert_eq!(recover(&keccak256("a digest"), &signature), None);
}

#[test]
fn other_lengths_are_for_a_contract() {
    for length in [1, 64, 66, 130, MAX_SIGNATURE] {
        let bytes = Bytes::from(vec![1; length]);
        assert_eq!(SignatureForm::parse(&bytes), Ok(SignatureForm::Contract(bytes.clone())), "{length}");
    }
    assert_eq!(SignatureForm::parse(&Bytes::new()), Err(MalformedSignature));
    assert_eq!(SignatureForm::parse(&Bytes::from(vec![1; MAX_SIGNATURE + 1])), Err(MalformedSignature));
}

fn wrapped(inner: &[u8]) -> Vec<u8> {
    let factory = address!("00000000000000000000000000000000000fac70");
    let mut bytes =
        <(sol_data::Address, sol_data::Bytes, sol_data::Bytes)>::abi_encode_params(&(factory, Bytes::from(hex!("c0ffee")), inner.to_vec()));
    bytes.extend_from_slice(EIP6492_MAGIC.as_slice());
    bytes
}

#[test]
fn counterfactual_signatures_are_unwrapped() {
    let form = SignatureForm::parse(&Bytes::from(wrapped(&[1, 2, 3]))).unwrap();
    let expected = SignatureForm::Counterfactual {
        factory: address!("00000000000000000000000000000000000fac70"),
        calldata: Bytes::from(hex!("c0ffee")),
        inner: Bytes::from(vec![1, 2, 3]),
    };
    assert_eq!(form, expected);
}

#[test]
fn broken_wrappers_are_refused() {
    let whole = wrapped(&[1, 2, 3]);
    let body = whole.len() - 32;
    for cut in [0, 1, 31, 32, 64, 95, 96, body - 32] {
        let broken: Vec<u8> = whole[..cut].iter().chain(EIP6492_MAGIC.as_slice()).copied().collect();
        assert_eq!(SignatureForm::parse(&Bytes::from(broken)), Err(MalformedSignature), "{cut}");
    }
    let mut dirty_address = whole.clone();
    dirty_address[0] = 1;
    let mut far_offset = whole.clone();
    far_offset[32..64].fill(0xff);
    for broken in [dirty_address, far_offset, wrapped(&[]), wrapped(&wrapped(&[1]))] {
        assert_eq!(SignatureForm::parse(&Bytes::from(broken)), Err(MalformedSignature));
    }
}
