//! Before the first payment: the chain is the right one, its tokens are what we think, a lane is held, gas is there.

use std::{collections::BTreeSet, sync::PoisonError, time::Duration};

use alloy_primitives::{Address, U256};
use ledger::{Attempt, LaneOutcome};
use tokio::time::sleep;

use super::{OwnNetwork, lane::Lane};
use crate::{
    Readiness,
    chain::{ChainError, Fees},
    directory::KnownAsset,
};

/// Between two looks at a network that is ready, and at one that is not.
const CONTENT: Duration = Duration::from_secs(10);
const IMPATIENT: Duration = Duration::from_millis(500);
/// Settlements that a signer must be able to pay for.
const SETTLEMENTS_IN_RESERVE: u128 = 2;
/// Gas of a plain settlement, for judging whether a signer runs dry.
const USUAL_GAS: u128 = 100_000;

/// Why payments in that token are not taken.
pub(super) fn suspended(token: Address) -> String {
    format!("asset {token} is suspended until the next start: it reported success and moved no money")
}

impl OwnNetwork {
    pub(super) async fn keep_ready(&self) {
        loop {
            let found = match self.inspect().await {
                Ok(()) => Readiness::Ready,
                Err(ChainError(why)) => Readiness::NotReady { why },
            };
            let ready = found.is_ready();
            self.note(found);
            tokio::select! {
                () = sleep(if ready { CONTENT } else { IMPATIENT }) => {}
                () = self.look_again.notified() => {}
            }
        }
    }

    /// A node said that this signer cannot pay: no more payments on its lane until its balance has been read.
    pub(super) fn run_dry(&self, lane: &Lane, why: &str) {
        lane.set_dry(true);
        if self.lanes.iter().all(|lane| lane.load().is_none()) {
            self.note(Readiness::NotReady { why: format!("signer {}: {why}", lane.signer()) });
        }
        self.look_again.notify_one();
    }

    fn note(&self, found: Readiness) {
        let mut standing = self.readiness.write().unwrap_or_else(PoisonError::into_inner);
        if *standing != found {
            match &found {
                Readiness::Ready => tracing::info!(network = %self.network, "ready"),
                Readiness::NotReady { why } => tracing::warn!(network = %self.network, %why, "not ready"),
            }
            *standing = found;
        }
    }

    /// A token, where none is left that is not suspended.
    fn all_suspended(&self) -> Option<Address> {
        let mut assets = self.directory.assets(&self.network).map(|known| known.asset.id.address).peekable();
        let first = assets.peek().copied();
        first.filter(|_| assets.all(|token| self.is_suspended(token)))
    }

    /// The first thing that is not as it should be.
    async fn inspect(&self) -> Result<(), ChainError> {
        let chain_id = self.chain.probe().await?;
        if chain_id != self.chain_id {
            return Err(ChainError(format!("the RPC endpoint is on chain {chain_id}, not {}", self.chain_id)));
        }
        for known in self.directory.assets(&self.network) {
            self.inspect_token(known).await?;
        }
        if let Some(token) = self.all_suspended() {
            return Err(ChainError(suspended(token)));
        }
        if !self.lanes.is_empty() {
            self.inspect_lanes().await?;
        }
        Ok(())
    }

    async fn inspect_token(&self, known: &KnownAsset) -> Result<(), ChainError> {
        let (address, asset) = (known.asset.id.address, &known.asset);
        let state = self.chain.token(address).await?;
        let wrong = |why: String| Err(ChainError(format!("asset {address}: {why}")));
        if !state.has_code {
            return wrong("no contract is deployed there".into());
        }
        match state.domain_separator {
            None => return wrong("it has no DOMAIN_SEPARATOR(), so it is no EIP-3009 token".into()),
            Some(found) if found != known.domain_separator => {
                let (name, version) = (&asset.name, &asset.version);
                return wrong(format!("its DOMAIN_SEPARATOR() is not that of name \"{name}\" and version \"{version}\""));
            }
            Some(_) => {}
        }
        match state.decimals {
            Some(decimals) if decimals == asset.decimals => Ok(()),
            Some(decimals) => wrong(format!("it has {decimals} decimals, not {}", asset.decimals)),
            None => wrong("it does not say how many decimals it has".into()),
        }
    }

    /// One lane that is held and can pay its gas is enough.
    async fn inspect_lanes(&self) -> Result<(), ChainError> {
        let fees = self.chain.fees().await?;
        let mut why = None;
        let mut usable = false;
        for lane in &self.lanes {
            match self.inspect_lane(lane, fees).await {
                Ok(()) => usable = true,
                Err(error) => why = Some(error),
            }
        }
        match why {
            Some(error) if !usable => Err(error),
            Some(error) => {
                tracing::warn!(network = %self.network, %error, "a lane is out of use");
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn inspect_lane(&self, lane: &Lane, fees: Fees) -> Result<(), ChainError> {
        if !lane.is_held() {
            self.hold(lane).await?;
        }
        let account = self.chain.account(lane.signer()).await?;
        let price = fees.base.saturating_mul(2).saturating_add(fees.priority).min(self.gas.fee_cap);
        let needed = price.saturating_mul(USUAL_GAS).saturating_mul(SETTLEMENTS_IN_RESERVE);
        let dry = account.balance < U256::from(needed);
        lane.set_dry(dry);
        if dry {
            return Err(ChainError(format!(
                "signer {} has {} wei, too little for gas (at least {needed})",
                lane.signer(),
                account.balance
            )));
        }
        Ok(())
    }

    /// Takes the lane's lease and the signer's nonces.
    pub(super) async fn hold(&self, lane: &Lane) -> Result<(), ChainError> {
        let store = |error: ledger::StoreError| ChainError(error.to_string());
        let asked = self.ledger.store().hold_lane(&self.network, lane.signer(), self.ledger.worker(), self.ledger.now());
        let lease = match asked.await.map_err(store)? {
            LaneOutcome::Held(lease) => lease,
            LaneOutcome::Busy(worker) => return Err(ChainError(format!("signer {} is held by process {worker}", lane.signer()))),
        };
        let account = self.chain.account(lane.signer()).await?;
        // Read last: a payment that ends after this look finds the lane held.
        let open = self.ledger.store().open_payments(Some(&self.network)).await.map_err(store)?;
        let nonces = open.iter().filter_map(|record| match &record.attempt {
            Some(Attempt::Own { signer, account_nonce, .. }) if *signer == lane.signer() => Some(*account_nonce),
            _ => None,
        });
        let nonces: BTreeSet<u64> = nonces.collect();
        lane.hold(lease, account, nonces);
        Ok(())
    }
}
