//! A store that fails when it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use ledger::{
    Advance, Attempt, Balance, Entry, Fault, KeptReply, LaneLease, LaneOutcome, ListFilter, NewRecord, Record, RedeliveryGrant, State,
    Store, StoreError, Transition, WorkerId,
};
use x402::{Address, B256, Network, PaymentId, Timestamp};

pub struct Faulty {
    store: Arc<dyn Store>,
    /// Transitions to that state fail, so many times more.
    failing: (State, AtomicU32),
    /// Fillers that fail, so many times more.
    fillers: AtomicU32,
    pub failed: AtomicU32,
}

impl Faulty {
    pub fn new(store: Arc<dyn Store>, state: State, times: u32, fillers: u32) -> Arc<Self> {
        let (failing, fillers) = ((state, AtomicU32::new(times)), AtomicU32::new(fillers));
        Arc::new(Self { store, failing, fillers, failed: AtomicU32::new(0) })
    }

    fn fail(&self, left: &AtomicU32) -> Result<(), StoreError> {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return Ok(());
        }
        self.failed.fetch_add(1, Ordering::SeqCst);
        Err(StoreError { fault: Fault::Unavailable, message: "disk full".into() })
    }
}

#[async_trait]
impl Store for Faulty {
    async fn claim(&self, new: NewRecord) -> Result<Advance, StoreError> {
        self.store.claim(new).await
    }
    async fn find(&self, id: PaymentId) -> Result<Option<Record>, StoreError> {
        self.store.find(id).await
    }
    async fn advance(&self, id: PaymentId, generation: u64, transition: Transition, now: Timestamp) -> Result<Advance, StoreError> {
        if transition.to() == self.failing.0 {
            self.fail(&self.failing.1)?;
        }
        self.store.advance(id, generation, transition, now).await
    }
    async fn open_payments(&self, network: Option<&Network>) -> Result<Vec<Record>, StoreError> {
        self.store.open_payments(network).await
    }
    async fn list(&self, filter: ListFilter) -> Result<Vec<Record>, StoreError> {
        self.store.list(filter).await
    }
    async fn entries(&self, id: PaymentId) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(id).await
    }
    async fn balances(&self) -> Result<Vec<Balance>, StoreError> {
        self.store.balances().await
    }
    async fn attempts(&self, id: PaymentId) -> Result<Vec<Attempt>, StoreError> {
        self.store.attempts(id).await
    }
    async fn note_body(&self, id: PaymentId, generation: u64, digest: B256) -> Result<(), StoreError> {
        self.store.note_body(id, generation, digest).await
    }
    async fn note_delivered(&self, id: PaymentId, generation: u64, now: Timestamp) -> Result<(), StoreError> {
        self.store.note_delivered(id, generation, now).await
    }
    async fn begin_redelivery(&self, id: PaymentId, worker: &WorkerId, limit: u32, now: Timestamp) -> Result<RedeliveryGrant, StoreError> {
        self.store.begin_redelivery(id, worker, limit, now).await
    }
    async fn end_redelivery(&self, id: PaymentId, worker: &WorkerId, charged: bool, now: Timestamp) -> Result<(), StoreError> {
        self.store.end_redelivery(id, worker, charged, now).await
    }
    async fn keep_reply(&self, id: PaymentId, generation: u64, reply: KeptReply) -> Result<(), StoreError> {
        self.store.keep_reply(id, generation, reply).await
    }
    async fn kept_reply(&self, id: PaymentId, now: Timestamp) -> Result<Option<KeptReply>, StoreError> {
        self.store.kept_reply(id, now).await
    }
    async fn drop_old_replies(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.drop_old_replies(now).await
    }
    async fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        self.store.secret(name).await
    }
    async fn enter_worker(&self, now: Timestamp) -> Result<WorkerId, StoreError> {
        self.store.enter_worker(now).await
    }
    async fn beat(&self, worker: &WorkerId, now: Timestamp) -> Result<(), StoreError> {
        self.store.beat(worker, now).await
    }
    async fn is_gone(&self, worker: &WorkerId, now: Timestamp) -> Result<bool, StoreError> {
        self.store.is_gone(worker, now).await
    }
    async fn release_orphans(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.release_orphans(now).await
    }
    async fn hold_lane(&self, network: &Network, signer: Address, worker: &WorkerId, now: Timestamp) -> Result<LaneOutcome, StoreError> {
        self.store.hold_lane(network, signer, worker, now).await
    }
    async fn note_filler(&self, lease: &LaneLease, filler: &Attempt, now: Timestamp) -> Result<bool, StoreError> {
        self.fail(&self.fillers)?;
        self.store.note_filler(lease, filler, now).await
    }
    async fn leave_lane(&self, lease: &LaneLease) -> Result<(), StoreError> {
        self.store.leave_lane(lease).await
    }
}
