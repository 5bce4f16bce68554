//! Prices: dollars or atomic units, into atomic units of an asset.

/// A price as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceSpec {
    /// `"$0.01"`: payable with every asset that stands for a dollar.
    Dollars(String),
    /// Atomic units of the asset at that address.
    Units { amount: String, asset: String },
}

/// Why a price was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PriceError(pub String);
