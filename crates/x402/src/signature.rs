//! Signatures over EIP-712 digests: 65-byte ECDSA, and what only a chain can judge.

use crate::{Address, B256, Bytes};

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
    pub fn parse(bytes: &Bytes) -> Result<Self, MalformedSignature> { todo!() }
}

/// The address whose key made `signature` over `digest` (libsecp256k1). `None`: no key did.
pub fn recover(digest: &B256, signature: &[u8; 65]) -> Option<Address> { todo!() }
