//! Assets, and amounts that carry theirs.

use crate::{Address, Network, U256};

/// A token contract on a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssetId {
    pub network: Network,
    pub address: Address,
}

/// What is known of a token: its EIP-712 domain (name, version; the chain id and address come from `id`) and its decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    pub id: AssetId,
    /// EIP-712 domain `name` ("USD Coin" on Base, "USDC" on Base Sepolia).
    pub name: String,
    /// EIP-712 domain `version`.
    pub version: String,
    pub decimals: u8,
    /// Stands for one US dollar: what `$` in a price may be paid with.
    pub usd: bool,
    /// Built in (known code), not from the configuration: its verify may use facts instead of a simulation.
    pub built_in: bool,
}

/// Atomic units of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    pub units: U256,
    pub asset: AssetId,
}

/// Two amounts that cannot be added: other assets, or more than 2^256 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("amounts of different assets")]
    AssetMismatch,
    #[error("amount out of range")]
    Overflow,
}

impl Amount {
    pub fn checked_add(&self, other: &Self) -> Result<Self, AmountError> { todo!() }
    pub fn checked_sub(&self, other: &Self) -> Result<Self, AmountError> { todo!() }
}
