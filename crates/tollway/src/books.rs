//! The store opened for work: this process's entry in it. Its signs of life are the facilitator's.

use std::sync::Arc;

use anyhow::Context;
use ledger::{Ledger, Store};
use x402::{Clock, SystemClock};

use crate::config::Config;

/// The books of a running process.
pub struct Books {
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
}

impl Books {
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store =
            store::open(&config.store, config.directory()).with_context(|| format!("`store`, {}", config.store_path().display()))?;
        let worker = store.enter_worker(clock.now()).await?;
        Ok(Self { ledger: Ledger::new(store, Arc::clone(&clock), worker), clock })
    }

    /// The secrets that all gateways on these books share.
    pub async fn secrets(&self) -> anyhow::Result<gateway::Secrets> {
        let store: &Arc<dyn Store> = self.ledger.store();
        Ok(gateway::Secrets { quote: store.secret("quote").await?, context: store.secret("context").await? })
    }
}
