//! The one maker of proofs: every step of a payment goes through here, and through the store before it counts.

use std::sync::Arc;

use x402::{B256, Clock, PaymentId, Timestamp, Verified};

use crate::{
    Advance, Attempt, Binding, Claimed, KeptReply, LaneLease, NewRecord, Record, RedeliveryGrant, Settled, Settlement, State, Store,
    StoreError, Submitted, Transition, WorkerId, proof::terms_of,
};

/// The ledger of one process.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    worker: WorkerId,
}

/// The answer to a claim.
#[derive(Debug)]
pub enum Claim {
    New(Claimed),
    /// The row that was there first.
    Known(Record),
}

/// The answer to asking for a redelivery.
#[derive(Debug)]
pub enum Redelivery {
    Granted(Settled),
    Busy,
    Exhausted,
    NotRedeemable(Record),
}

/// A step that did not happen, or is not known to have: the proof comes back with the reason.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotDone<P: std::fmt::Debug> {
    pub proof: P,
    #[source]
    pub error: StepError,
}

/// Why a step did not happen.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The row has moved on without us, or the lane's lease is lost: nothing was written.
    #[error("the payment stands as {} now", .0.state.as_str())]
    Overtaken(Box<Record>),
}

impl Ledger {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, worker: WorkerId) -> Self {
        Self { store, clock, worker }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub fn worker(&self) -> &WorkerId {
        &self.worker
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One atomic durable insert of the payment key, bound to this request (or, for `/settle`, to none).
    pub async fn claim(&self, verified: Verified, binding: Option<Binding>, claimed_block: u64) -> Result<Claim, StoreError> {
        let (payment, terms) = (verified.payment(), terms_of(&verified));
        let authorization = payment.authorization();
        let new = NewRecord {
            key: payment.key().clone(),
            asset: terms.asset.clone(),
            pay_to: terms.pay_to,
            amount: terms.amount,
            valid_after: authorization.valid_after,
            valid_before: authorization.valid_before,
            signature: payment.signature().0.clone(),
            binding,
            worker: self.worker.clone(),
            claimed_block,
            now: self.clock.now(),
        };
        Ok(match self.store.claim(new).await? {
            Advance::Done(record) => Claim::New(Claimed { record }),
            Advance::Refused(record) => Claim::Known(record),
        })
    }

    /// What is known of a payment.
    pub async fn recall(&self, id: PaymentId) -> Result<Option<Record>, StoreError> {
        self.store.find(id).await
    }

    /// Gives a claim back: nothing was sent for it.
    pub async fn release(&self, claimed: Claimed, reason: &str) -> Result<Record, NotDone<Claimed>> {
        let transition = Transition::Release { reason: reason.to_owned() };
        match self.step(&claimed.record, transition).await {
            Ok(record) => Ok(record),
            Err(error) => Err(NotDone { proof: claimed, error }),
        }
    }

    /// Makes what is about to be sent durable. Only after `Ok` may a byte leave.
    pub async fn submit(&self, claimed: Claimed, attempt: Attempt, lane: Option<LaneLease>) -> Result<Submitted, NotDone<Claimed>> {
        match self.step(&claimed.record, Transition::Submit { attempt, lane }).await {
            Ok(record) => Ok(Submitted { record }),
            Err(error) => Err(NotDone { proof: claimed, error }),
        }
    }

    /// Notes that nobody can say yet what became of it.
    pub async fn unknown(&self, submitted: Submitted) -> Result<Submitted, NotDone<Submitted>> {
        if submitted.record.state == State::Unknown {
            return Ok(submitted);
        }
        match self.step(&submitted.record, Transition::Unknown).await {
            Ok(record) => Ok(Submitted { record }),
            Err(error) => Err(NotDone { proof: submitted, error }),
        }
    }

    /// Makes another attempt durable, beside those before it: a replacement, or what follows a reverted settlement.
    pub async fn resubmit(&self, submitted: Submitted, attempt: Attempt, lane: Option<LaneLease>) -> Result<Submitted, NotDone<Submitted>> {
        match self.step(&submitted.record, Transition::Resubmit { attempt, lane }).await {
            Ok(record) => Ok(Submitted { record }),
            Err(error) => Err(NotDone { proof: submitted, error }),
        }
    }

    /// Books a settlement by its evidence. Where another process has booked it meanwhile, its evidence is returned.
    pub async fn settle(&self, submitted: Submitted, settlement: Settlement) -> Result<Settled, NotDone<Submitted>> {
        match self.step(&submitted.record, Transition::Settle { settlement: settlement.clone() }).await {
            Ok(record) => Ok(Settled { settlement: record.settlement.clone().unwrap_or(settlement), record }),
            Err(error) => Err(NotDone { proof: submitted, error }),
        }
    }

    /// Notes that the settlement's block has left the chain: the payment must be watched again, and sent again if need be.
    pub async fn revert(&self, settled: Settled) -> Result<Submitted, NotDone<Settled>> {
        match self.step(&settled.record, Transition::Revert).await {
            Ok(record) => Ok(Submitted { record }),
            Err(error) => Err(NotDone { proof: settled, error }),
        }
    }

    /// Books a reverted settlement as lost: it can never settle again.
    pub async fn lose(&self, reverted: Submitted, reason: &str) -> Result<Record, NotDone<Submitted>> {
        let transition = Transition::Lose { reason: reason.to_owned() };
        match self.step(&reverted.record, transition).await {
            Ok(record) => Ok(record),
            Err(error) => Err(NotDone { proof: reverted, error }),
        }
    }

    /// Notes that what was sent can never settle.
    pub async fn fail(&self, submitted: Submitted, reason: &str, transaction: Option<B256>) -> Result<Record, NotDone<Submitted>> {
        let transition = Transition::Fail { reason: reason.to_owned(), transaction };
        match self.step(&submitted.record, transition).await {
            Ok(record) => Ok(record),
            Err(error) => Err(NotDone { proof: submitted, error }),
        }
    }

    /// Notes that a claim cannot settle: the last look at the chain, before anything was sent, refused it for good.
    pub async fn refuse(&self, claimed: Claimed, reason: &str) -> Result<Record, NotDone<Claimed>> {
        let transition = Transition::Fail { reason: reason.to_owned(), transaction: None };
        match self.step(&claimed.record, transition).await {
            Ok(record) => Ok(record),
            Err(error) => Err(NotDone { proof: claimed, error }),
        }
    }

    /// Payments with durable bytes and no end yet (`Submitted`, `Unknown`, `Reverted`), to be watched again after a start.
    pub async fn unfinished(&self) -> Result<Vec<Submitted>, StoreError> {
        let open = self.store.open_payments(None).await?;
        Ok(open.into_iter().filter(|record| record.state != State::Claimed).map(|record| Submitted { record }).collect())
    }

    /// The proof of a record that is settled.
    pub fn settled(record: Record) -> Option<Settled> {
        match (record.state, record.settlement.clone()) {
            (State::Settled, Some(settlement)) => Some(Settled { record, settlement }),
            _ => None,
        }
    }

    /// Asks to deliver a settled payment once more. What is granted ends with [`Ledger::delivered`] or [`Ledger::end_redelivery`].
    pub async fn begin_redelivery(&self, id: PaymentId, limit: u32) -> Result<Redelivery, StoreError> {
        let grant = self.store.begin_redelivery(id, &self.worker, limit, self.clock.now()).await?;
        Ok(match grant {
            RedeliveryGrant::Granted(record) => match Self::settled(record.clone()) {
                Some(settled) => Redelivery::Granted(settled),
                None => Redelivery::NotRedeemable(record),
            },
            RedeliveryGrant::Busy => Redelivery::Busy,
            RedeliveryGrant::Exhausted => Redelivery::Exhausted,
            RedeliveryGrant::NotRedeemable(record) => Redelivery::NotRedeemable(record),
        })
    }

    /// Ends a delivery or redelivery of this process short of its last byte. See [`Store::end_redelivery`]; a claimer's own first delivery is ended
    /// with `charged: false`.
    pub async fn end_redelivery(&self, id: PaymentId, charged: bool) -> Result<(), StoreError> {
        self.store.end_redelivery(id, &self.worker, charged, self.clock.now()).await
    }

    /// Notes that the last byte was handed to the socket.
    pub async fn delivered(&self, record: &Record) -> Result<(), StoreError> {
        self.store.note_delivered(record.id, record.generation, self.clock.now()).await
    }

    /// Notes the digest of the request's body, read to its end.
    pub async fn note_body(&self, record: &Record, digest: B256) -> Result<(), StoreError> {
        self.store.note_body(record.id, record.generation, digest).await
    }

    /// Keeps a reply for 24 h.
    pub async fn keep(&self, record: &Record, reply: KeptReply) -> Result<(), StoreError> {
        self.store.keep_reply(record.id, record.generation, reply).await
    }

    /// The kept reply, if it is younger than 24 h.
    pub async fn kept(&self, id: PaymentId) -> Result<Option<KeptReply>, StoreError> {
        self.store.kept_reply(id, self.clock.now()).await
    }

    /// A refusal that shows this very step is success: its first answer was lost. Another generation is somebody else's.
    async fn step(&self, record: &Record, transition: Transition) -> Result<Record, StepError> {
        let advance = self.store.advance(record.id, record.generation, transition.clone(), self.clock.now()).await?;
        match advance {
            Advance::Done(now) => Ok(now),
            Advance::Refused(now) if now.generation == record.generation && transition.stands_in(&now) => Ok(now),
            Advance::Refused(now) => Err(StepError::Overtaken(Box::new(now))),
        }
    }
}
