//! The only place of RPC: what a facilitator asks of a chain.

mod abi;
mod broadcast;
mod evm;
mod rpc;

use alloy_primitives::{Address, B256, Bytes, U256};
use async_trait::async_trait;

pub(crate) use abi::{
    AuthorizationCanceled, AuthorizationUsed, Call3, MULTICALL3, Transfer, aggregate3Call, transferWithAuthorization_0Call,
    transferWithAuthorization_1Call,
};
pub use broadcast::{Broadcast, Refused};
pub use evm::EvmChain;

/// Nobody gave a proper answer: endpoints down, late, on another chain, or talking nonsense. Says nothing about what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChainError(pub String);

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    pub hash: B256,
    /// Unix seconds.
    pub timestamp: u64,
}

/// Which block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTag {
    Latest,
    Safe,
    Finalized,
    Number(u64),
}

/// What one look at a token said of one payer and one EIP-3009 nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayerFacts {
    pub has_code: bool,
    pub balance: U256,
    /// Used or cancelled.
    pub nonce_used: bool,
    pub blacklisted: bool,
}

/// What one look at a token said, of many payers at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsAt {
    /// A block not younger than the state that was read.
    pub block: u64,
    /// Time of the state that was read, in unix seconds.
    pub timestamp: u64,
    pub paused: bool,
    /// One for each pair asked for, in order.
    pub rows: Vec<PayerFacts>,
}

/// A call of a contract, without value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub from: Address,
    pub to: Address,
    pub data: Bytes,
    /// The most gas it may use.
    pub gas: u64,
}

/// What a call would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Simulation {
    /// It would succeed; for an estimate with the gas it needs, else with its gas limit.
    Succeeds {
        gas: u64,
    },
    Reverts {
        why: String,
    },
}

/// What gas costs now, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    pub base: u128,
    pub priority: u128,
}

/// An account that sends transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions mined.
    pub mined: u64,
    /// Transactions mined or waiting in the node's pool.
    pub pending: u64,
    /// In wei.
    pub balance: U256,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub address: Address,
    pub topics: Vec<B256>,
    pub data: Bytes,
    /// Position in the block.
    pub index: u64,
    pub transaction: B256,
}

/// A mined transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub transaction: B256,
    pub block_number: u64,
    pub block_hash: B256,
    /// It did not revert. Proves nothing about money.
    pub succeeded: bool,
    pub logs: Vec<Log>,
}

/// What a token says of itself. `None` where it does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenState {
    pub has_code: bool,
    pub domain_separator: Option<B256>,
    pub decimals: Option<u8>,
}

/// A chain. The second implementation is scripted, for tests and the simulator.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// Looks at every endpoint anew: chain id, how far behind. Returns the chain id that all good ones share.
    async fn probe(&self) -> Result<u64, ChainError>;

    /// Number of the latest block.
    async fn height(&self) -> Result<u64, ChainError>;

    async fn head(&self, tag: BlockTag) -> Result<Head, ChainError>;

    /// One call for all pairs of payer and nonce; at most [`MAX_FACTS`] of them.
    async fn facts(&self, token: Address, asked: &[(Address, B256)]) -> Result<FactsAt, ChainError>;

    /// Whether the call would succeed with exactly this gas.
    async fn simulate(&self, call: &Call) -> Result<Simulation, ChainError>;

    /// How much gas the call needs, up to its limit.
    async fn estimate(&self, call: &Call) -> Result<Simulation, ChainError>;

    async fn fees(&self) -> Result<Fees, ChainError>;

    async fn account(&self, address: Address) -> Result<Account, ChainError>;

    /// Hands signed bytes to the network. Repeating it is harmless.
    async fn broadcast(&self, raw: &Bytes) -> Broadcast;

    /// Receipts in the order asked for. `None`: not known to be mined, which is not the same as not mined.
    async fn receipts(&self, transactions: &[B256]) -> Result<Vec<Option<Receipt>>, ChainError>;

    /// Whether the node holds the transaction, in its pool or in a block.
    async fn knows(&self, transaction: B256) -> Result<bool, ChainError>;

    /// Transactions since block `since` (inclusive) with a log of `token` that has these topics.
    async fn transactions(&self, token: Address, topics: [B256; 3], since: u64) -> Result<Vec<B256>, ChainError>;

    async fn token(&self, address: Address) -> Result<TokenState, ChainError>;
}

/// The most pairs that one [`Chain::facts`] may ask for.
pub const MAX_FACTS: usize = 128;
