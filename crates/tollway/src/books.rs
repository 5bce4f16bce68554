//! The store opened for work: this process's entry in it, and its signs of life.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use ledger::{Ledger, Store};
use tokio::task::JoinHandle;
use x402::{Clock, SystemClock};

use crate::config::Config;

/// A process that does not beat for 20 s counts as gone.
const BEAT: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(3_600);

/// The books of a running process.
pub struct Books {
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    beating: JoinHandle<()>,
}

impl Books {
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store =
            store::open(&config.store, config.directory()).with_context(|| format!("`store`, {}", config.store_path().display()))?;
        let worker = store.enter_worker(clock.now()).await?;
        let ledger = Ledger::new(store, Arc::clone(&clock), worker);
        let beating = tokio::spawn(beat(ledger.clone(), Arc::clone(&clock)));
        Ok(Self { ledger, clock, beating })
    }

    /// The secrets that all gateways on these books share.
    pub async fn secrets(&self) -> anyhow::Result<gateway::Secrets> {
        let store: &Arc<dyn Store> = self.ledger.store();
        Ok(gateway::Secrets { quote: store.secret("quote").await?, context: store.secret("context").await? })
    }

    pub fn close(self) {
        self.beating.abort();
    }
}

/// Signs of life, and now and then the end of replies that were kept long enough.
async fn beat(ledger: Ledger, clock: Arc<dyn Clock>) {
    let (mut beats, mut sweeps) = (tokio::time::interval(BEAT), tokio::time::interval(SWEEP));
    loop {
        tokio::select! {
            _ = beats.tick() => {
                if let Err(error) = ledger.store().beat(ledger.worker(), clock.now()).await {
                    tracing::error!(%error, "no sign of life can be written: other processes will take this one for gone");
                }
            }
            _ = sweeps.tick() => {
                if let Err(error) = ledger.store().drop_old_replies(clock.now()).await {
                    tracing::warn!(%error, "old replies stay for now");
                }
            }
        }
    }
}
