//! From bytes on their way to an end that the chain has spoken.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use alloy_primitives::B256;
use alloy_sol_types::SolEvent;
use ledger::{Attempt, Fault, NotDone, Record, Settlement, StepError, Submitted};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, sleep_until},
};
use x402::{PaymentId, Reason};

use super::{OwnNetwork, call::seconds, judge::Expected};
use crate::{
    Finality, Outcome,
    chain::{AuthorizationCanceled, BlockTag, ChainError, Receipt},
    release::outcome_of,
};

/// The longest that nothing is looked at.
const PATIENCE: Duration = Duration::from_secs(1);
/// Before a payment without a receipt is looked for elsewhere, and between two such looks.
const ELSEWHERE_EVERY: Duration = Duration::from_secs(2);
/// Between two tries to write an end down.
const WRITE_AGAIN: Duration = Duration::from_millis(500);

type Answer = Option<oneshot::Sender<Outcome>>;

/// What became of a payment.
#[derive(Debug)]
enum End {
    Settled(Settlement),
    Failed { reason: Reason, transaction: Option<B256> },
}

/// The right to work on a payment in this process; one at a time.
pub struct Pursued {
    network: Arc<OwnNetwork>,
    id: PaymentId,
}

impl Drop for Pursued {
    fn drop(&mut self) {
        self.network.pursued.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl OwnNetwork {
    /// `None`: somebody in this process is at it already.
    pub fn enter(self: &Arc<Self>, id: PaymentId) -> Option<Pursued> {
        let new = self.pursued.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        new.then(|| Pursued { network: Arc::clone(self), id })
    }

    /// Takes up a payment that somebody left behind, unless it is watched already.
    pub fn resume(self: &Arc<Self>, submitted: Submitted) {
        if let Some(pursued) = self.enter(submitted.id()) {
            self.pursue(submitted, pursued, None);
        }
    }

    /// Watches a payment to its end, in a task of its own. `answer` hears of the end, or that it is pending.
    pub(super) fn pursue(self: &Arc<Self>, submitted: Submitted, pursued: Pursued, answer: Answer) {
        let network = Arc::clone(self);
        self.runtime.spawn(async move {
            let attempt = submitted.record().attempt.clone();
            let mined = network.run_pursuit(submitted, answer).await;
            if let Some(Attempt::Own { signer, account_nonce, transaction, .. }) = attempt
                && let Some(lane) = network.lanes.iter().find(|lane| lane.signer() == signer)
            {
                if mined == Some(transaction) {
                    lane.done(account_nonce);
                } else {
                    lane.leave_behind(account_nonce);
                }
            }
            drop(pursued);
        });
    }

    /// Returns the transaction by which it ended, if it was one.
    async fn run_pursuit(&self, submitted: Submitted, mut answer: Answer) -> Option<B256> {
        let mut heads = self.heads.subscribe();
        let record = submitted.record().clone();
        let observed = self.observe(&record, &mut heads, answer.is_none());
        tokio::pin!(observed);
        let late = sleep_until(Instant::now() + self.settle_within);
        let (submitted, end) = tokio::select! {
            end = &mut observed => (submitted, end),
            () = late, if answer.is_some() => {
                let submitted = self.note_unknown(submitted, &mut answer).await?;
                (submitted, observed.await)
            }
        };
        let mined = match &end {
            End::Settled(settlement) => Some(settlement.transaction),
            End::Failed { transaction, .. } => *transaction,
        };
        self.write_end(submitted, end, answer).await;
        mined
    }

    /// The wait is over and nobody knows: the payment is pending. `None`: the books have moved on.
    async fn note_unknown(&self, submitted: Submitted, answer: &mut Answer) -> Option<Submitted> {
        let tell = |answer: &mut Answer, outcome| {
            if let Some(answer) = answer.take() {
                drop(answer.send(outcome));
            }
        };
        match self.ledger.unknown(submitted).await {
            Ok(submitted) => {
                tell(answer, Outcome::Pending { record: Box::new(submitted.record().clone()) });
                Some(submitted)
            }
            Err(NotDone { proof, error: StepError::Store(_) }) => {
                tell(answer, Outcome::Pending { record: Box::new(proof.record().clone()) });
                Some(proof)
            }
            Err(NotDone { error: StepError::Overtaken(record), .. }) => {
                tell(answer, outcome_of(*record));
                None
            }
        }
    }

    /// Writes the end down, however long the store takes to come back.
    async fn write_end(&self, mut submitted: Submitted, mut end: End, mut answer: Answer) {
        loop {
            let written = match &end {
                End::Settled(settlement) => self.ledger.settle(submitted, settlement.clone()).await.map(Outcome::Settled),
                End::Failed { reason, transaction } => self
                    .ledger
                    .fail(submitted, reason.code(), *transaction)
                    .await
                    .map(|record| Outcome::Failed { record: Box::new(record), reason: *reason }),
            };
            let outcome = match written {
                Ok(outcome) => outcome,
                Err(NotDone { proof, error: StepError::Store(error) }) if error.fault == Fault::Conflict => {
                    tracing::error!(payment = %proof.id(), %error, "the settlement's log proves another payment already");
                    end = End::Failed { reason: Reason::TransactionState, transaction: None };
                    submitted = proof;
                    continue;
                }
                Err(NotDone { error: StepError::Overtaken(record), .. }) => outcome_of(*record),
                Err(NotDone { proof, error: StepError::Store(error) }) => {
                    tracing::error!(payment = %proof.id(), %error, "the end of a payment cannot be written yet");
                    submitted = proof;
                    if let Some(answer) = answer.take() {
                        drop(answer.send(Outcome::Pending { record: Box::new(submitted.record().clone()) }));
                    }
                    sleep(WRITE_AGAIN).await;
                    continue;
                }
            };
            if let Some(answer) = answer.take() {
                drop(answer.send(outcome));
            }
            return;
        }
    }

    /// Looks until the chain has spoken. A node that does not answer says nothing. `resumed`: nothing has been sent by this process.
    async fn observe(&self, record: &Record, heads: &mut watch::Receiver<u64>, resumed: bool) -> End {
        let ours = matches!(record.attempt, Some(Attempt::Own { .. }));
        let mut elsewhere_at = Instant::now();
        if ours && !resumed {
            elsewhere_at += ELSEWHERE_EVERY;
        }
        loop {
            // Marked as seen before looking: a block that comes meanwhile is looked at too.
            heads.borrow_and_update();
            match self.look_once(record, &mut elsewhere_at).await {
                Ok(Some(end)) => return end,
                Ok(None) => {}
                Err(error) => tracing::debug!(payment = %record.id, %error, "not seen yet"),
            }
            tokio::select! {
                moved = heads.changed() => if moved.is_err() { sleep(PATIENCE).await },
                () = sleep(PATIENCE) => {}
            }
        }
    }

    async fn look_once(&self, record: &Record, elsewhere_at: &mut Instant) -> Result<Option<End>, ChainError> {
        let transaction = record.attempt.as_ref().and_then(Attempt::transaction);
        if let Some(hash) = transaction
            && let Some(receipt) = self.receipts.ask(hash).await?
        {
            return self.judge(record, receipt).await;
        }
        if Instant::now() < *elsewhere_at {
            return Ok(None);
        }
        let ours = matches!(record.attempt, Some(Attempt::Own { .. }));
        *elsewhere_at = Instant::now() + if ours { ELSEWHERE_EVERY } else { Duration::ZERO };
        if let Some(end) = self.look_elsewhere(record).await? {
            return Ok(Some(end));
        }
        if let (Some(hash), Some(Attempt::Own { raw, .. })) = (transaction, &record.attempt)
            && !self.chain.knows(hash).await?
        {
            let told = self.chain.broadcast(&raw.clone().into()).await;
            tracing::info!(payment = %record.id, ?told, "the node had forgotten the transaction: sent again");
        }
        Ok(None)
    }

    /// Our transaction is mined: did the money move by it, or by somebody else's?
    async fn judge(&self, record: &Record, receipt: Receipt) -> Result<Option<End>, ChainError> {
        if !self.is_final(receipt.block_number).await? {
            return Ok(None);
        }
        if let Some(settlement) = self.settlement(record, &receipt) {
            return Ok(Some(End::Settled(settlement)));
        }
        if let Some(settlement) = self.settled_elsewhere(record).await? {
            return Ok(Some(End::Settled(settlement)));
        }
        let seen = self.look_now(record).await?;
        if seen.block < receipt.block_number {
            return Ok(None);
        }
        let transaction = Some(receipt.transaction);
        let used_here = receipt.logs.iter().any(|log| log.topics == expected(record).used_topics());
        if receipt.succeeded && (used_here || !seen.facts.nonce_used) {
            self.suspend(record.asset.address);
        }
        if receipt.succeeded || !seen.facts.nonce_used {
            return Ok(Some(End::Failed { reason: Reason::TransactionState, transaction }));
        }
        // The nonce is used, but nobody's log says by whom: logs may lag behind, a cancellation is an end.
        let ended = self.is_cancelled(record).await? || seen.timestamp >= seconds(record.valid_before);
        Ok(ended.then_some(End::Failed { reason: Reason::AuthorizationUsed, transaction }))
    }

    /// There is no receipt: has somebody else settled it, or can it never settle any more?
    async fn look_elsewhere(&self, record: &Record) -> Result<Option<End>, ChainError> {
        let seen = self.look_now(record).await?;
        let over = seen.timestamp >= seconds(record.valid_before);
        if seen.facts.nonce_used {
            if let Some(settlement) = self.settled_elsewhere(record).await? {
                return Ok(Some(End::Settled(settlement)));
            }
            let ended = self.is_cancelled(record).await? || over;
            return Ok(ended.then_some(End::Failed { reason: Reason::AuthorizationUsed, transaction: None }));
        }
        let over = over && self.final_head().await? >= seconds(record.valid_before);
        Ok(over.then_some(End::Failed { reason: Reason::ValidBefore, transaction: None }))
    }

    /// The settlement of this payment by whichever transaction, if it is final.
    async fn settled_elsewhere(&self, record: &Record) -> Result<Option<Settlement>, ChainError> {
        match self.mined_elsewhere(record).await? {
            Some(settlement) if self.is_final(settlement.block_number).await? => Ok(Some(settlement)),
            _ => Ok(None),
        }
    }

    /// The evidence in whichever transaction was mined after the claim; a used nonce alone proves nothing.
    pub(super) async fn mined_elsewhere(&self, record: &Record) -> Result<Option<Settlement>, ChainError> {
        let since = record.claimed_block.saturating_add(1);
        for hash in self.chain.transactions(record.asset.address, expected(record).used_topics(), since).await? {
            let Some(receipt) = self.receipts.ask(hash).await? else { continue };
            if receipt.block_number >= since
                && let Some(settlement) = self.settlement(record, &receipt)
            {
                return Ok(Some(settlement));
            }
        }
        Ok(None)
    }

    /// The payer has cancelled the authorization since the claim, before which it was open.
    pub(super) async fn is_cancelled(&self, record: &Record) -> Result<bool, ChainError> {
        let topics = [AuthorizationCanceled::SIGNATURE_HASH, record.key.payer.into_word(), record.key.nonce];
        let since = record.claimed_block.saturating_add(1);
        Ok(!self.chain.transactions(record.asset.address, topics, since).await?.is_empty())
    }

    fn settlement(&self, record: &Record, receipt: &Receipt) -> Option<Settlement> {
        let log_index = expected(record).evidence(receipt)?;
        Some(Settlement {
            transaction: receipt.transaction,
            block_number: receipt.block_number,
            block_hash: receipt.block_hash,
            log_index: Some(log_index),
            amount: record.amount,
            at: self.ledger.now(),
        })
    }

    async fn is_final(&self, block: u64) -> Result<bool, ChainError> {
        Ok(match self.finality {
            Finality::Blocks(0 | 1) => true,
            Finality::Blocks(depth) => self.chain.height().await? >= block.saturating_add(depth - 1),
            Finality::Safe => self.chain.head(BlockTag::Safe).await?.number >= block,
            Finality::Finalized => self.chain.head(BlockTag::Finalized).await?.number >= block,
        })
    }

    /// Time of the newest final block, in unix seconds.
    async fn final_head(&self) -> Result<u64, ChainError> {
        let tag = match self.finality {
            Finality::Blocks(0 | 1) => BlockTag::Latest,
            Finality::Blocks(depth) => BlockTag::Number(self.chain.height().await?.saturating_sub(depth - 1)),
            Finality::Safe => BlockTag::Safe,
            Finality::Finalized => BlockTag::Finalized,
        };
        Ok(self.chain.head(tag).await?.timestamp)
    }
}

fn expected(record: &Record) -> Expected {
    Expected { token: record.asset.address, payer: record.key.payer, nonce: record.key.nonce, payee: record.pay_to, amount: record.amount }
}
