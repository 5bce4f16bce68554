//! The facilitator's face to the gateway.

use std::{
    collections::HashMap,
    sync::{Arc, Once},
    time::Duration,
};

use ledger::{Claimed, Ledger};
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use x402::{Address, Asset, AssetId, Authenticated, ExactPayload, Network, Reason, Terms, exact};

use crate::{
    Config, ConfigError, Outcome, Readiness, Refusal, Verification, background,
    chain::{Chain, EvmChain},
    directory::Directory,
    own::{OwnNetwork, Shared},
    remote::Remote,
};

/// How long a connection is tried for.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Verifies and settles. Cheap to clone; every method may be called from any runtime.
#[derive(Clone)]
pub struct Facilitator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) ledger: Ledger,
    pub(crate) directory: Arc<Directory>,
    /// Chains that we read; in the order of the configuration.
    pub(crate) networks: Vec<Network>,
    pub(crate) own: HashMap<Network, Arc<OwnNetwork>>,
    /// Where set, it verifies and settles; our own chains only watch.
    pub(crate) remote: Option<Arc<Remote>>,
    pub(crate) settle_within: Duration,
    runtime: Handle,
    pub(crate) closing: CancellationToken,
    working: TaskTracker,
}

impl Facilitator {
    /// Starts at once; chains are read, open payments watched and gone workers' claims released in the background, on `runtime`.
    pub fn start(config: Config, ledger: Ledger, runtime: Handle) -> Result<Self, ConfigError> {
        let client = http_client()?;
        let mut chains: HashMap<Network, Arc<dyn Chain>> = HashMap::new();
        for network in &config.networks {
            let chain_id = network.network.chain_id().ok_or_else(|| ConfigError::NotEvm(network.network.clone()))?;
            let urls = network.rpc.iter().map(|url| http_url(url)).collect::<Result<Vec<_>, _>>()?;
            if !urls.is_empty() {
                chains.insert(network.network.clone(), Arc::new(EvmChain::new(chain_id, urls, client.clone())));
            }
        }
        Self::start_on(config, chains, ledger, runtime)
    }

    /// As [`Facilitator::start`], on chains that are given (the simulator's).
    pub fn start_on(
        config: Config,
        mut chains: HashMap<Network, Arc<dyn Chain>>,
        ledger: Ledger,
        runtime: Handle,
    ) -> Result<Self, ConfigError> {
        let networks: Vec<Network> = config.networks.iter().map(|network| network.network.clone()).collect();
        let directory = Arc::new(directory(&config)?);
        let closing = CancellationToken::new();
        let shared = Shared {
            directory: Arc::clone(&directory),
            ledger: ledger.clone(),
            runtime: runtime.clone(),
            closing: closing.clone(),
            settle_within: config.settle_within,
        };
        let mut own = HashMap::new();
        for network in config.networks {
            let name = network.network.clone();
            let chain_id = name.chain_id().ok_or_else(|| ConfigError::NotEvm(name.clone()))?;
            match chains.remove(&name) {
                Some(_) if network.signers.is_empty() && config.remotes.is_empty() => return Err(ConfigError::NoSigner(name)),
                Some(chain) => drop(own.insert(name, Arc::new(OwnNetwork::new(network, chain_id, chain, shared.clone())))),
                None if config.remotes.is_empty() => return Err(ConfigError::NoRpc(name)),
                None => {}
            }
        }
        let remote = match config.remotes.as_slice() {
            [] => None,
            urls => {
                let urls = urls.iter().map(|url| http_url(url)).collect::<Result<Vec<_>, _>>()?;
                Some(Arc::new(Remote::new(urls, http_client()?, shared, own.clone())))
            }
        };
        let working = TaskTracker::new();
        let inner = Inner { ledger, directory, networks, own, remote, settle_within: config.settle_within, runtime, closing, working };
        let facilitator = Self { inner: Arc::new(inner) };
        facilitator.begin();
        Ok(facilitator)
    }

    fn begin(&self) {
        let inner = &self.inner;
        inner.own.values().for_each(OwnNetwork::start);
        if let Some(remote) = &inner.remote {
            remote.start();
        }
        inner.runtime.spawn(background::run(Arc::clone(inner)));
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// The configured networks, in the order of the configuration.
    pub fn networks(&self) -> &[Network] {
        &self.inner.networks
    }

    /// The accounts that sign settlements; none where remote facilitators settle.
    pub fn signers(&self) -> Vec<Address> {
        let mut signers = Vec::new();
        if self.inner.remote.is_none() {
            for network in &self.inner.networks {
                signers.extend(self.inner.own.get(network).into_iter().flat_map(|own| own.signers()));
            }
        }
        signers.sort_unstable();
        signers.dedup();
        signers
    }

    pub(crate) fn settle_within(&self) -> Duration {
        self.inner.settle_within
    }

    /// Whether payments on that network may be taken: chain id, token domains and decimals read and equal, a lane held, gas left.
    pub fn readiness(&self, network: &Network) -> Readiness {
        match (&self.inner.remote, self.inner.own.get(network)) {
            (Some(remote), _) => remote.readiness(network),
            (None, Some(own)) => own.readiness(),
            (None, None) => Readiness::NotReady { why: format!("{network} is not configured") },
        }
    }

    /// A configured asset.
    pub fn asset(&self, id: &AssetId) -> Option<&Asset> {
        self.inner.directory.get(id).map(|known| &known.asset)
    }

    /// Grammar and signature only; no I/O.
    ///
    /// Errors: [`Reason::Network`] and [`Reason::Requirements`] for what is not configured, [`Reason::Signature`].
    pub fn authenticate(&self, payload: &ExactPayload, asset: &AssetId) -> Result<Authenticated, Reason> {
        let known = match self.inner.directory.get(asset) {
            Some(known) => known,
            None if self.inner.directory.has(&asset.network) => return Err(Reason::Requirements),
            None => return Err(Reason::Network),
        };
        exact::authenticate(payload, &known.asset, &known.domain_separator)
    }

    /// Whether the payment pays `terms`, its window stays open for `room` more seconds, and the chain would let it settle now.
    pub async fn verify(&self, payment: Authenticated, terms: Terms, room: u64) -> Result<Verification, Refusal> {
        match (&self.inner.remote, self.inner.own.get(terms.network())) {
            (Some(remote), _) => {
                let remote = Arc::clone(remote);
                let task = self.inner.runtime.spawn(async move { remote.verify(payment, terms, room).await });
                task.await.unwrap_or_else(|error| Err(Refusal::Unavailable { why: error.to_string() }))
            }
            (None, Some(own)) => own.verify(payment, terms, room).await,
            (None, None) => Err(Reason::Network.into()),
        }
    }

    /// Settles a claimed payment. Dropping the future cancels nothing: the work runs in a task of its own.
    pub async fn settle(&self, claimed: Claimed) -> Outcome {
        let inner = Arc::clone(&self.inner);
        let known = Box::new(claimed.record().clone());
        let work = async move {
            match (&inner.remote, inner.own.get(&claimed.record().key.network)) {
                (Some(remote), _) => remote.settle(claimed).await,
                (None, Some(own)) => own.settle(claimed).await,
                (None, None) => {
                    let why = format!("{} is not configured", claimed.record().key.network);
                    crate::release::release(&inner.ledger, &inner.runtime, claimed, why).await
                }
            }
        };
        let task = self.inner.working.spawn_on(work, &self.inner.runtime);
        // A task that died may have sent: only the books know.
        task.await.unwrap_or(Outcome::Pending { record: known })
    }

    /// Takes nothing new, waits for settlements under way, leaves the lanes. Open payments are resumed by the next start.
    pub async fn shutdown(&self) {
        self.inner.closing.cancel();
        self.inner.working.close();
        self.inner.working.wait().await;
        for own in self.inner.own.values() {
            own.leave().await;
        }
    }
}

fn directory(config: &Config) -> Result<Directory, ConfigError> {
    let mut directory = Directory::default();
    for network in &config.networks {
        if directory.has(&network.network) {
            return Err(ConfigError::Twice(network.network.clone()));
        }
        let chain_id = network.network.chain_id().ok_or_else(|| ConfigError::NotEvm(network.network.clone()))?;
        directory.add(&network.network, chain_id, &network.assets);
    }
    Ok(directory)
}

fn http_url(url: &str) -> Result<reqwest::Url, ConfigError> {
    let wrong = |why: String| ConfigError::Url { url: url.to_owned(), why };
    let parsed = reqwest::Url::parse(url).map_err(|error| wrong(error.to_string()))?;
    match (parsed.scheme(), parsed.host_str()) {
        ("http" | "https", Some(_)) => Ok(parsed),
        _ => Err(wrong("it must begin with http:// or https://".into())),
    }
}

/// Follows no redirect, uses no proxy of the environment.
pub(crate) fn http_client() -> Result<reqwest::Client, ConfigError> {
    static PROVIDER: Once = Once::new();
    // Somebody else may have installed one before us: then that one serves.
    PROVIDER.call_once(|| drop(rustls::crypto::aws_lc_rs::default_provider().install_default()));
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_WITHIN)
        .pool_max_idle_per_host(128)
        .tcp_nodelay(true)
        .user_agent(concat!("tollway/", env!("CARGO_PKG_VERSION")));
    builder.build().map_err(|error| ConfigError::Http(error.to_string()))
}
