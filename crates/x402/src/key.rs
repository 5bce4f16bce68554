//! The key of a payment: decoded and canonical, never header bytes (DESIGN §3 "Names and look-ups", §5).

use crate::{Address, B256, Network};
use alloy_primitives::{hex, keccak256};
use std::fmt;

/// (network, contract, payer, nonce): the payer-made idempotency key of a payment.
/// For EIP-3009 the contract is the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentKey {
    pub network: Network,
    pub contract: Address,
    pub payer: Address,
    pub nonce: B256,
}

/// `pay_` + the first 16 bytes in hex of keccak256 over the ASCII `network/contract/payer/nonce`, all lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentId(pub [u8; 16]);

impl PaymentKey {
    /// The public name of this payment.
    #[must_use]
    pub fn id(&self) -> PaymentId {
        let name = format!("{}/{:#x}/{:#x}/{:#x}", self.network, self.contract, self.payer, self.nonce);
        let hash = keccak256(name);
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        PaymentId(id)
    }
}

/// Not `pay_` and 32 lower-case hex digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a payment id is `pay_` and 32 lower-case hex digits")]
pub struct MalformedPaymentId;

impl std::str::FromStr for PaymentId {
    type Err = MalformedPaymentId;
    fn from_str(s: &str) -> Result<Self, MalformedPaymentId> {
        let digits = s.strip_prefix("pay_").ok_or(MalformedPaymentId)?;
        if !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(MalformedPaymentId);
        }
        let mut id = [0; 16];
        hex::decode_to_slice(digits, &mut id).map_err(|_| MalformedPaymentId)?;
        Ok(Self(id))
    }
}
impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pay_{}", hex::encode(self.0))
    }
}
impl fmt::Debug for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
