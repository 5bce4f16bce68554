//! Double entry in integers of atomic units: every commit balances per asset.

use std::{fmt, str::FromStr};

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

/// Not an account's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no account")]
pub struct UnknownAccount(pub String);

impl FromStr for Account {
    type Err = UnknownAccount;
    fn from_str(name: &str) -> Result<Self, UnknownAccount> {
        let unknown = || UnknownAccount(name.to_owned());
        let (kind, address) = name.split_once('/').ok_or_else(unknown)?;
        let address = Address::from_str(address).map_err(|_| unknown())?;
        match kind {
            "payer" => Ok(Self::Payer(address)),
            "seller" => Ok(Self::Seller(address)),
            _ => Err(unknown()),
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

/// The sums of one account in one asset, in atomic units. Over all accounts of an asset debits equal credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub account: Account,
    pub asset: AssetId,
    pub debit: U256,
    pub credit: U256,
}
