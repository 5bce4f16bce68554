//! The key of a payment: decoded and canonical, never header bytes (DESIGN §3 "Names and look-ups", §5).

use crate::{Address, B256, Network};
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
    pub fn id(&self) -> PaymentId { todo!() }
}

/// Not `pay_` and 32 lower-case hex digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a payment id is `pay_` and 32 lower-case hex digits")]
pub struct MalformedPaymentId;

impl std::str::FromStr for PaymentId {
    type Err = MalformedPaymentId;
    fn from_str(s: &str) -> Result<Self, MalformedPaymentId> { todo!() }
}
impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { todo!() }
}
impl fmt::Debug for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
}
