//! Signatures over EIP-712 digests: 65-byte ECDSA, and what only a chain can judge.

use crate::{Address, B256, Bytes, U256};
use alloy_primitives::{b256, uint};
use alloy_sol_types::{SolType, sol_data};
use secp256k1::{
    Message, Secp256k1, VerifyOnly,
    ecdsa::{RecoverableSignature, RecoveryId},
};
use std::sync::LazyLock;

/// The longest signature that is read, in bytes.
pub const MAX_SIGNATURE: usize = 8 * 1024;

/// The suffix that marks an EIP-6492 signature.
const EIP6492_MAGIC: B256 = b256!("6492649264926492649264926492649264926492649264926492649264926492");

/// The order n of the group of secp256k1 (SEC 2 §2.4.1), and its lower half.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);
const HALF_ORDER: U256 = uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// What the signature bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureForm {
    /// 65 bytes r ‖ s ‖ v, v ∈ {0, 1, 27, 28}, s in the lower half (EIP-2).
    Ecdsa([u8; 65]),
    /// Any other bytes: for the payer's contract to judge (EIP-1271).
    Contract(Bytes),
    /// EIP-6492: a factory call that would deploy the payer's contract, and the signature within.
    Counterfactual { factory: Address, calldata: Bytes, inner: Bytes },
}

/// Signature bytes that no verifier may accept: high s, v out of range, zero r or s, empty, larger than 8 KiB, broken EIP-6492 wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed signature")]
pub struct MalformedSignature;

impl SignatureForm {
    /// Says what the bytes are; see [`MalformedSignature`] for what is refused.
    pub fn parse(bytes: &Bytes) -> Result<Self, MalformedSignature> {
        if bytes.is_empty() || bytes.len() > MAX_SIGNATURE {
            return Err(MalformedSignature);
        }
        if let Some(wrapped) = bytes.strip_suffix(EIP6492_MAGIC.as_slice()) {
            return counterfactual(wrapped);
        }
        match <[u8; 65]>::try_from(bytes.as_ref()) {
            Ok(signature) => ecdsa(signature),
            Err(_) => Ok(Self::Contract(bytes.clone())),
        }
    }
}

/// EIP-6492: `abi.encode(address factory, bytes calldata, bytes signature)` before the magic suffix. A wrapper within a wrapper is refused.
fn counterfactual(wrapped: &[u8]) -> Result<SignatureForm, MalformedSignature> {
    type Wrapper = (sol_data::Address, sol_data::Bytes, sol_data::Bytes);
    let (factory, calldata, inner) = Wrapper::abi_decode_params_validate(wrapped).map_err(|_| MalformedSignature)?;
    if inner.is_empty() || inner.ends_with(EIP6492_MAGIC.as_slice()) {
        return Err(MalformedSignature);
    }
    Ok(SignatureForm::Counterfactual { factory, calldata, inner })
}

/// 0 < r < n, 0 < s ≤ n/2 (EIP-2), v ∈ {0, 1, 27, 28}.
fn ecdsa(signature: [u8; 65]) -> Result<SignatureForm, MalformedSignature> {
    let (r, s, v) = parts(&signature);
    let well_formed = !r.is_zero() && r < ORDER && !s.is_zero() && s <= HALF_ORDER && parity(v).is_some();
    if well_formed { Ok(SignatureForm::Ecdsa(signature)) } else { Err(MalformedSignature) }
}

fn parts(signature: &[u8; 65]) -> (U256, U256, u8) {
    let [r @ .., _] = signature;
    let (r, s) = r.split_at(32);
    (U256::from_be_slice(r), U256::from_be_slice(s), signature[64])
}

fn parity(v: u8) -> Option<RecoveryId> {
    match v {
        0 | 27 => Some(RecoveryId::Zero),
        1 | 28 => Some(RecoveryId::One),
        _ => None,
    }
}

/// The address whose key made `signature` over `digest` (libsecp256k1). `None`: no key did. High s is [`SignatureForm::parse`]'s to refuse.
#[must_use]
pub fn recover(digest: &B256, signature: &[u8; 65]) -> Option<Address> {
    static CONTEXT: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);
    let [compact @ .., v] = signature;
    let recoverable = RecoverableSignature::from_compact(compact, parity(*v)?).ok()?;
    let key = CONTEXT.recover_ecdsa(Message::from_digest(digest.0), &recoverable).ok()?;
    let [_, point @ ..] = key.serialize_uncompressed();
    Some(Address::from_raw_public_key(&point))
}

#[cfg(test)]
mod tests;
