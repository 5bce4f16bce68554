//! A running gateway: its threads, its reload, its end.

use std::{
    net::{SocketAddr, TcpListener},
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use facilitator::Facilitator;
use ledger::Ledger;
use rules::RuleSet;
use tokio_rustls::TlsConnector;
use tokio_util::sync::DropGuard;
use x402::Clock;

use crate::{
    Config, Secrets,
    context::UnusableSeed,
    listen::{self, Stop},
    origin::{HttpOrigin, UnusableOrigin},
    pipeline::Shared,
    snapshot::Snapshot,
};

/// A gateway that serves until [`Gateway::shutdown`].
pub struct Gateway {
    local: SocketAddr,
    config: Mutex<Config>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    stop: Stop,
    /// A gateway that is dropped ends at once.
    _end: DropGuard,
}

/// Why a gateway did not start; nothing was served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error(transparent)]
    Origin(#[from] UnusableOrigin),
    #[error("no trusted root certificates for the https origin: {0}")]
    Roots(String),
    #[error(transparent)]
    Context(#[from] UnusableSeed),
    #[error("cannot start a data-plane thread: {0}")]
    Thread(std::io::Error),
}

/// Why a new configuration was not taken; the running one stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("`{0}` changes only with a restart")]
    NeedsRestart(&'static str),
    #[error(transparent)]
    Origin(#[from] UnusableOrigin),
}

impl Gateway {
    /// Opens the listeners at once: free paths and offers need no chain.
    pub fn start(
        config: Config,
        rules: RuleSet,
        facilitator: Facilitator,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        secrets: Secrets,
    ) -> Result<Self, StartError> {
        let (local, first) = listener(config.listen)?;
        // A `Host` may name the port in use.
        let shared = Shared::new(&Config { listen: local, ..config.clone() }, rules, facilitator, ledger, clock, &secrets)?;
        let tls = roots(&shared.snapshot.load())?;
        let count = match config.threads {
            0 => std::thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        };
        let stop = Stop::default();
        let end = stop.now.clone().drop_guard();
        let mut threads = Vec::with_capacity(count);
        let others = (1..count).map(|_| listen::bind(local).map_err(|error| StartError::Listen { address: local, error }));
        for (index, listener) in std::iter::once(Ok(first)).chain(others).enumerate() {
            let listener = listener?;
            threads.push(listen::spawn(index, listener, Arc::clone(&shared), tls.clone(), stop.clone()).map_err(StartError::Thread)?);
        }
        Ok(Self { local, config: Mutex::new(config), shared, threads, stop, _end: end })
    }

    /// The address in use, where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Puts a new configuration and rule set in force for the requests that come; those under way end under the old ones.
    /// Prices of the rule set before are honoured for its `quote_for`.
    pub fn reload(&self, config: Config, rules: RuleSet) -> Result<(), ReloadError> {
        let mut running = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if config.listen != running.listen {
            return Err(ReloadError::NeedsRestart("listen"));
        }
        if config.threads != running.threads {
            return Err(ReloadError::NeedsRestart("threads"));
        }
        if config.limits != running.limits {
            return Err(ReloadError::NeedsRestart("limits"));
        }
        let now = self.shared.clock.now();
        let rules = rules.replacing(&self.shared.snapshot.load().rules, now);
        let snapshot = Snapshot::new(&Config { listen: self.local, ..config.clone() }, rules, now)?;
        let is_tls_new = snapshot.origin.is_tls() && !self.shared.snapshot.load().origin.is_tls();
        if is_tls_new {
            return Err(ReloadError::NeedsRestart("origin"));
        }
        self.shared.snapshot.store(Arc::new(snapshot));
        *running = config;
        Ok(())
    }

    /// Takes no new connection, ends those open after their answers, waits for payments under way; at the latest after `grace`.
    pub async fn shutdown(self, grace: Duration) {
        let Self { threads, stop, shared, _end, .. } = self;
        shared.tasks.close();
        stop.drain.cancel();
        let ended = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        let mut ended = std::pin::pin!(ended);
        if tokio::time::timeout(grace, ended.as_mut()).await.is_err() {
            tracing::warn!("requests were still under way at the end of the grace period");
            stop.now.cancel();
            let _ = ended.await;
        }
    }
}

/// The first socket, with the address in use: nobody else listens there.
fn listener(address: SocketAddr) -> Result<(SocketAddr, TcpListener), StartError> {
    let bound = listen::probe(address).and_then(|()| listen::bind(address));
    bound.and_then(|listener| Ok((listener.local_addr()?, listener))).map_err(|error| StartError::Listen { address, error })
}

/// Certificates are looked for only where they are needed.
fn roots(snapshot: &Snapshot) -> Result<Option<TlsConnector>, StartError> {
    if snapshot.origin.is_tls() { HttpOrigin::trusted_roots().map(Some).map_err(StartError::Roots) } else { Ok(None) }
}
