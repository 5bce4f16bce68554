//! Double entry in integers of atomic units: every commit balances per asset.

use std::fmt;

use x402::{Address, AssetId, PaymentId, U256};

/// Whose books an entry stands in. Written as `payer/0x…`, `seller/0x…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    Payer(Address),
    Seller(Address),
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payer(address) => write!(f, "payer/{address:#x}"),
            Self::Seller(address) => write!(f, "seller/{address:#x}"),
        }
    }
}

/// One transfer between two accounts: debits equal credits by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub payment: PaymentId,
    pub debit: Account,
    pub credit: Account,
    pub asset: AssetId,
    /// Atomic units, never zero.
    pub amount: U256,
}
