//! What a facilitator is started with.

use std::{fmt, str::FromStr, time::Duration};

use alloy::signers::local::PrivateKeySigner;
use x402::{Address, Asset, Network};

/// A key that pays gas and can do nothing else. Zeroized when dropped; never shown.
#[derive(Clone)]
pub struct SignerKey(PrivateKeySigner);

impl SignerKey {
    /// The account that signs.
    pub fn address(&self) -> Address {
        self.0.address()
    }
    pub(crate) fn signer(&self) -> &PrivateKeySigner {
        &self.0
    }
}

impl FromStr for SignerKey {
    type Err = ConfigError;
    /// 32 bytes in hex, with or without `0x`. The text is not repeated in the error.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        text.trim().parse().map(Self).map_err(|_| ConfigError::SignerKey)
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({:#x})", self.address())
    }
}

/// How deep a block must lie before its logs are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// Blocks that hold or follow the transaction: 1 means mined.
    Blocks(u64),
    /// The node's `safe` block.
    Safe,
    /// The node's `finalized` block.
    Finalized,
}

impl Default for Finality {
    fn default() -> Self {
        Self::Blocks(1)
    }
}

/// The most that a settlement may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasLimits {
    /// Gas of a transfer signed by a key.
    pub plain: u64,
    /// Gas of a transfer judged by a contract wallet.
    pub wallet: u64,
    /// The same with the wallet's deployment before it, by a factory of the list.
    pub deployment: u64,
    /// Highest `maxFeePerGas`, in wei.
    pub fee_cap: u128,
}

impl Default for GasLimits {
    fn default() -> Self {
        Self { plain: 300_000, wallet: 500_000, deployment: 1_500_000, fee_cap: 500_000_000_000 }
    }
}

/// One chain.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    pub network: Network,
    /// JSON-RPC endpoints, the preferred one first; the others stand in when it fails.
    pub rpc: Vec<String>,
    /// One lane each.
    pub signers: Vec<SignerKey>,
    pub finality: Finality,
    /// All assets that may be paid with, built in or configured.
    pub assets: Vec<Asset>,
    /// Factories that may deploy a counterfactual wallet (EIP-6492). Empty: none may.
    pub factories: Vec<Address>,
    pub gas: GasLimits,
}

/// A facilitator.
#[derive(Clone, Debug)]
pub struct Config {
    pub networks: Vec<NetworkConfig>,
    /// Remote facilitators by URL. Not empty: they verify and settle, and no signer is needed.
    pub remotes: Vec<String>,
    /// How long a settlement is awaited before it is answered as pending.
    pub settle_within: Duration,
}

/// A configuration that cannot work. The operator's fault; nothing was started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("a signer key is 32 bytes in hex")]
    SignerKey,
    #[error("{0}: only `eip155` networks can be settled on")]
    NotEvm(Network),
    #[error("{0} is configured twice")]
    Twice(Network),
    #[error("{0} has no RPC endpoint")]
    NoRpc(Network),
    #[error("{0} has no signer, and no remote facilitator is configured")]
    NoSigner(Network),
    #[error("`{url}` is no http(s) URL: {why}")]
    Url { url: String, why: String },
    #[error("the HTTP client cannot be made: {0}")]
    Http(String),
}
