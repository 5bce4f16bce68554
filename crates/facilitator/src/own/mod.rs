//! Verifying and settling on a chain ourselves, one [`OwnNetwork`] per network.

mod batcher;
mod call;
mod facts;
mod gaps;
mod heads;
mod judge;
mod lane;
mod pursue;
mod readiness;
mod settle;
mod verify;

pub use pursue::Pursued;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use ledger::{Ledger, Record};
use tokio::{
    runtime::Handle,
    sync::{Notify, Semaphore},
};
use tokio_util::sync::CancellationToken;
use x402::{Network, PaymentId};

use crate::{
    Finality, GasLimits, NetworkConfig, Readiness,
    chain::{Chain, ChainError, Fees, MAX_FACTS, Receipt},
    directory::{Directory, KnownAsset},
};
use batcher::Batcher;
use facts::{Question, Reader, Seen};
use heads::Heads;
use lane::Lane;

/// Receipts that one call asks for.
const MAX_RECEIPTS: usize = 100;
/// Simulations under way at once: a slow wallet must not starve the others.
const SIMULATIONS: usize = 16;
/// How long a gas price is good for.
const FEES_FOR: Duration = Duration::from_secs(2);

/// Everything of one token that changes.
struct Token {
    facts: Batcher<Question, Seen>,
    /// Gas that transfers of plain wallets needed at most, so far.
    plain_gas: AtomicU64,
}

/// One chain: its reader, its lanes, what is under way on it.
pub struct OwnNetwork {
    network: Network,
    chain_id: u64,
    chain: Arc<dyn Chain>,
    finality: Finality,
    gas: GasLimits,
    factories: Vec<Address>,
    directory: Arc<Directory>,
    ledger: Ledger,
    runtime: Handle,
    closing: CancellationToken,
    settle_within: Duration,
    tokens: HashMap<Address, Token>,
    receipts: Batcher<B256, Option<Receipt>>,
    heads: Heads,
    lanes: Vec<Lane>,
    simulations: Semaphore,
    readiness: RwLock<Readiness>,
    /// Readiness is to be looked at before its time.
    look_again: Notify,
    fees: Mutex<Option<(Instant, Fees)>>,
    pursued: Mutex<HashSet<PaymentId>>,
    /// Tokens that said one thing and did another.
    suspended: Mutex<HashSet<Address>>,
}

/// What all networks share.
#[derive(Clone)]
pub struct Shared {
    pub directory: Arc<Directory>,
    pub ledger: Ledger,
    pub runtime: Handle,
    pub closing: CancellationToken,
    pub settle_within: Duration,
}

impl OwnNetwork {
    pub fn new(config: NetworkConfig, chain_id: u64, chain: Arc<dyn Chain>, shared: Shared) -> Self {
        let runtime = shared.runtime;
        let tokens = config.assets.iter().map(|asset| (asset.id.address, Token::new(&runtime, &chain, asset.id.address))).collect();
        let receipts = {
            let chain = Arc::clone(&chain);
            Batcher::start(&runtime, MAX_RECEIPTS, move |hashes: Vec<B256>| {
                let chain = Arc::clone(&chain);
                async move { chain.receipts(&hashes).await }
            })
        };
        Self {
            network: config.network,
            chain_id,
            chain,
            finality: config.finality,
            gas: config.gas,
            factories: config.factories,
            directory: shared.directory,
            ledger: shared.ledger,
            runtime,
            closing: shared.closing,
            settle_within: shared.settle_within,
            tokens,
            receipts,
            heads: Heads::new(),
            lanes: config.signers.into_iter().map(|key| Lane::new(key, chain_id)).collect(),
            simulations: Semaphore::new(SIMULATIONS),
            readiness: RwLock::new(Readiness::NotReady { why: "the chain has not been read yet".into() }),
            look_again: Notify::new(),
            fees: Mutex::new(None),
            pursued: Mutex::new(HashSet::new()),
            suspended: Mutex::new(HashSet::new()),
        }
    }

    pub fn signers(&self) -> impl Iterator<Item = Address> {
        self.lanes.iter().map(Lane::signer)
    }

    pub fn readiness(&self) -> Readiness {
        self.readiness.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of the latest block.
    pub async fn height(&self) -> Result<u64, ChainError> {
        self.chain.height().await
    }

    /// Polls heads and keeps the network ready, until the facilitator closes.
    pub fn start(self: &Arc<Self>) {
        let network = Arc::clone(self);
        self.runtime.spawn(async move {
            let heads = network.heads.run(Arc::clone(&network.chain));
            tokio::select! {
                () = network.closing.cancelled() => {}
                () = async { tokio::join!(heads, network.keep_ready(), network.fill_gaps()); } => {}
            }
        });
    }

    /// Gives the lanes back.
    pub async fn leave(&self) {
        for lease in self.lanes.iter().filter_map(Lane::leave) {
            if let Err(error) = self.ledger.store().leave_lane(&lease).await {
                tracing::warn!(%error, signer = %lease.signer, "lane not given back; it is free once this process has ended");
            }
        }
    }

    fn token(&self, address: Address) -> Result<&Token, ChainError> {
        self.tokens.get(&address).ok_or_else(|| ChainError(format!("{address} is not configured")))
    }

    fn asset(&self, address: Address) -> Option<&KnownAsset> {
        self.directory.of(&self.network, address)
    }

    /// Facts of one payment; shared with others in one call.
    async fn look(&self, token: Address, payer: Address, nonce: B256) -> Result<Seen, ChainError> {
        self.token(token)?.facts.ask((payer, nonce)).await
    }

    /// Facts of one payment as they are now.
    async fn look_now(&self, record: &Record) -> Result<Seen, ChainError> {
        Reader::read_now(self.chain.as_ref(), record.asset.address, (record.key.payer, record.key.nonce)).await
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        let known = *self.fees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, fees)) = known.filter(|(at, _)| at.elapsed() < FEES_FOR) {
            return Ok(fees);
        }
        let fees = self.chain.fees().await?;
        *self.fees.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), fees));
        Ok(fees)
    }

    fn suspend(&self, token: Address) {
        tracing::error!(%token, network = %self.network, "the token reported success and moved no money: it is suspended until the next start");
        self.suspended.lock().unwrap_or_else(PoisonError::into_inner).insert(token);
        self.look_again.notify_one();
    }

    fn is_suspended(&self, token: Address) -> bool {
        self.suspended.lock().unwrap_or_else(PoisonError::into_inner).contains(&token)
    }
}

impl Token {
    fn new(runtime: &Handle, chain: &Arc<dyn Chain>, address: Address) -> Self {
        let reader = Arc::new(Reader::new(Arc::clone(chain), address));
        let facts = Batcher::start(runtime, MAX_FACTS, move |asked| {
            let reader = Arc::clone(&reader);
            async move { reader.read(asked).await }
        });
        Self { facts, plain_gas: AtomicU64::new(0) }
    }

    /// A gas limit that transfers of plain wallets were content with; `None` before the first.
    fn usual_gas(&self, most: u64) -> Option<u64> {
        let gas = self.plain_gas.load(Ordering::Relaxed);
        (gas > 0).then(|| gas.saturating_add(gas / 2).saturating_add(15_000).min(most))
    }

    fn note_gas(&self, gas: u64) {
        self.plain_gas.fetch_max(gas, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
