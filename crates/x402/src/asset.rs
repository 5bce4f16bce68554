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
    /// The sum of two amounts of one asset.
    pub fn checked_add(&self, other: &Self) -> Result<Self, AmountError> {
        self.combine(other, U256::checked_add)
    }

    /// The difference of two amounts of one asset; below zero is [`AmountError::Overflow`].
    pub fn checked_sub(&self, other: &Self) -> Result<Self, AmountError> {
        self.combine(other, U256::checked_sub)
    }

    fn combine(&self, other: &Self, operation: fn(U256, U256) -> Option<U256>) -> Result<Self, AmountError> {
        if self.asset != other.asset {
            return Err(AmountError::AssetMismatch);
        }
        let units = operation(self.units, other.units).ok_or(AmountError::Overflow)?;
        Ok(Self { units, asset: self.asset.clone() })
    }
}

#[cfg(test)]
mod tests;
