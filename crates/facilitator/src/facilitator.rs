//! The facilitator's face to the gateway.

use std::sync::Arc;

use ledger::{Claimed, Ledger};
use tokio::runtime::Handle;
use x402::{Asset, AssetId, Authenticated, ExactPayload, Network, Reason, Terms};

use crate::{Config, ConfigError, Outcome, Readiness, Refusal, Verification};

/// Verifies and settles. Cheap to clone; every method may be called from any runtime.
#[derive(Clone)]
pub struct Facilitator {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Ledger,
}

impl Facilitator {
    /// Starts at once; chains are read, open payments watched and gone workers' claims released in the background, on `runtime`.
    pub fn start(config: Config, ledger: Ledger, runtime: Handle) -> Result<Self, ConfigError> {
        let _ = (config, runtime);
        Ok(Self { inner: Arc::new(Inner { ledger }) })
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Whether payments on that network may be taken: chain id, token domains and decimals read and equal, a lane held, gas left.
    pub fn readiness(&self, network: &Network) -> Readiness {
        todo!("{network}")
    }

    /// A configured asset.
    pub fn asset(&self, id: &AssetId) -> Option<&Asset> {
        todo!("{id:?}")
    }

    /// Grammar and signature only; no I/O.
    ///
    /// Errors: [`Reason::Network`] and [`Reason::Requirements`] for what is not configured, [`Reason::Signature`].
    pub fn authenticate(&self, payload: &ExactPayload, asset: &AssetId) -> Result<Authenticated, Reason> {
        let _ = (payload, asset);
        todo!()
    }

    /// Whether the payment pays `terms`, its window stays open for `room` more seconds, and the chain would let it settle now.
    pub async fn verify(&self, payment: Authenticated, terms: Terms, room: u64) -> Result<Verification, Refusal> {
        let _ = (payment, terms, room);
        todo!()
    }

    /// Settles a claimed payment. Dropping the future cancels nothing: the work runs in a task of its own.
    pub async fn settle(&self, claimed: Claimed) -> Outcome {
        let _ = claimed;
        todo!()
    }

    /// Takes nothing new, waits for what is being sent, leaves the lanes. Open payments are resumed by the next start.
    pub async fn shutdown(&self) {}
}
