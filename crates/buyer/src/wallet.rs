//! A payer's key: kept in memory only as long as it is needed, never printed.

use std::fmt;

use secp256k1::{Message, PublicKey, Secp256k1, SecretKey, SignOnly};
use x402::{Address, B256};
use zeroize::Zeroizing;

/// Not a secp256k1 private key in hex. Says nothing of what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a private key: 32 bytes in hex are wanted, with or without `0x`")]
pub struct BadKey;

/// One private key, and the address it pays from.
pub struct Wallet {
    key: SecretKey,
    address: Address,
    secp: Secp256k1<SignOnly>,
}

impl Wallet {
    /// Reads a key in hex, white space around it ignored.
    pub fn from_hex(text: &str) -> Result<Self, BadKey> {
        let digits = text.trim();
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let mut bytes = Zeroizing::new([0_u8; 32]);
        alloy_primitives::hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| BadKey)?;
        Self::from_bytes(&bytes)
    }

    /// Takes a key as 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadKey> {
        let key = SecretKey::from_byte_array(*bytes).map_err(|_| BadKey)?;
        let secp = Secp256k1::signing_only();
        let public = PublicKey::from_secret_key(&secp, &key).serialize_uncompressed();
        Ok(Self { key, address: Address::from_raw_public_key(&public[1..]), secp })
    }

    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a digest: r ‖ s ‖ v with v 27 or 28, and s in the lower half (EIP-2).
    pub fn sign_digest(&self, digest: &B256) -> [u8; 65] {
        let signature = self.secp.sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.key);
        let (recovery, compact) = signature.serialize_compact();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&compact);
        bytes[64] = 27 + u8::from(i32::from(recovery) & 1 == 1);
        bytes
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        self.key.non_secure_erase();
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").field("address", &self.address).finish_non_exhaustive()
    }
}
