//! No account nonce is lost: what the chain has not counted is somebody's, or is filled.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    OwnNetwork,
    lane::{Gap, Lane},
};
use crate::chain::{Account, Broadcast, ChainError, Refused};

/// Between two looks at a lane with something under way.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Gas of a transfer of nothing.
const TRANSFER_GAS: u64 = 21_000;

impl OwnNetwork {
    /// Compares the chain's count with what the lanes know, and fills the gaps, for ever.
    pub(super) async fn fill_gaps(&self) {
        loop {
            sleep(LOOK_EVERY).await;
            for lane in self.lanes.iter().filter(|lane| lane.is_waiting()) {
                if let Err(error) = self.look_after(lane).await {
                    tracing::debug!(signer = %lane.signer(), %error, "the lane could not be looked after");
                }
            }
        }
    }

    /// The signer's account as it is now; the lane hears of it.
    pub(super) async fn count(&self, lane: &Lane) -> Result<Account, ChainError> {
        let account = self.chain.account(lane.signer()).await?;
        lane.catch_up(account);
        Ok(account)
    }

    async fn look_after(&self, lane: &Lane) -> Result<(), ChainError> {
        self.count(lane).await?;
        match lane.gap() {
            Some(gap) => self.fill(lane, gap).await,
            None => Ok(()),
        }
    }

    /// An empty transfer of the signer to itself takes the nonce, so that those above it can be mined. Like all bytes it is written before
    /// it is sent; the store refuses where the nonce is that of a payment which may settle by it.
    async fn fill(&self, lane: &Lane, gap: Gap) -> Result<(), ChainError> {
        let nonce = gap.nonce;
        let price = self.price().await?.outbidding(gap.bids, self.gas.fee_cap);
        let signed = lane.sign_filler(nonce, TRANSFER_GAS, price).map_err(|error| ChainError(error.to_string()))?;
        let noted = self.ledger.store().note_filler(&gap.lease, &lane.attempt(nonce, &signed), self.ledger.now()).await;
        if !noted.map_err(|error| ChainError(error.to_string()))? {
            lane.filled(nonce, false);
            tracing::warn!(signer = %lane.signer(), nonce, "a gap is not ours to fill: a payment has it, or the lane is lost");
            return Ok(());
        }
        tracing::info!(signer = %lane.signer(), nonce, transaction = %signed.hash, "filling a gap");
        match self.chain.broadcast(&signed.raw).await {
            Broadcast::Taken | Broadcast::Maybe { .. } => lane.filled(nonce, true),
            Broadcast::Refused(Refused::NonceUsed { .. }) => lane.filled(nonce, false),
            Broadcast::Refused(Refused::Funds { why }) => {
                lane.filled(nonce, false);
                self.run_dry(lane, &why);
            }
            Broadcast::Refused(Refused::Other { why }) => {
                lane.filled(nonce, true);
                tracing::warn!(%why, nonce, "gap not filled");
            }
        }
        Ok(())
    }
}
