//! A running gateway: its threads, its reload, its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use facilitator::Facilitator;
use ledger::Ledger;
use rules::RuleSet;
use x402::Clock;

use crate::{Config, Secrets};

/// A gateway that serves until [`Gateway::shutdown`].
pub struct Gateway {
    local: SocketAddr,
}

/// Why a gateway did not start; nothing was served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("origin `{0}`: http:// or https:// with a host, and no path, is what can be forwarded to")]
    Origin(http::Uri),
    #[error("no trusted root certificates for the https origin: {0}")]
    Roots(String),
    #[error("cannot start a data-plane thread: {0}")]
    Thread(std::io::Error),
}

/// Why a new configuration was not taken; the running one stays in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("`{0}` changes only with a restart")]
    NeedsRestart(&'static str),
    #[error(transparent)]
    Origin(#[from] StartError),
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
        let _ = (config, rules, facilitator, ledger, clock, secrets);
        todo!()
    }

    /// The address in use, where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Puts a new configuration and rule set in force for the requests that come; those under way end under the old ones.
    /// Prices of the rule set before are honoured for `quote_for`.
    pub fn reload(&self, config: Config, rules: RuleSet) -> Result<(), ReloadError> {
        let _ = (config, rules);
        todo!()
    }

    /// Takes no new connection, ends those open after their answers, waits for payments under way; at the latest after `grace`.
    pub async fn shutdown(self, grace: Duration) {
        let _ = grace;
        todo!()
    }
}
