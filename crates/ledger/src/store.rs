//! Where payments are kept. SQLite today; PostgreSQL behind the same trait.

use async_trait::async_trait;
use x402::{Address, AssetId, B256, Network, PaymentId, PaymentKey, Timestamp, U256};

use crate::{Binding, Entry, KeptReply, LaneLease, LaneOutcome, Record, State, Transition, WorkerId};

/// A row to be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    pub key: PaymentKey,
    pub asset: AssetId,
    pub pay_to: Address,
    pub amount: U256,
    pub valid_after: U256,
    pub valid_before: U256,
    pub signature: bytes::Bytes,
    pub binding: Option<Binding>,
    pub worker: WorkerId,
    pub claimed_block: u64,
    pub now: Timestamp,
}

/// What became of a conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// Durable; the row as it stands now.
    Done(Record),
    /// The row stands in another state, at another generation, or under a newer lane epoch; nothing was written.
    Refused(Record),
}

/// The answer to asking for a redelivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedeliveryGrant {
    Granted(Record),
    /// Another redelivery of it is under way.
    Busy,
    /// Delivered `limit` times at a charged status, or older than 24 h.
    Exhausted,
    /// Not settled, or delivered already.
    NotRedeemable(Record),
}

/// Which payments a list holds, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListFilter {
    pub state: Option<State>,
    pub network: Option<Network>,
    pub payer: Option<Address>,
    /// At most this many; zero: 100.
    pub limit: u32,
    /// Only payments claimed before this one.
    pub before: Option<PaymentId>,
}

/// What went wrong below; money never moved by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Try again later: busy, disk full, connection lost. The write did not happen, or repeating it is harmless.
    Unavailable,
    /// The data is not what this version understands: an operator must look.
    Corrupt,
}

/// A failure of the store.
#[derive(Clone, Debug, thiserror::Error)]
#[error("store: {message}")]
pub struct StoreError {
    pub fault: Fault,
    pub message: String,
}

/// Durable payments. Every method that writes returns only when the write would survive the loss of power.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// One atomic durable statement: inserts the row as `Claimed`, or takes over a `Released` or `Failed` row with the *same* binding
    /// (`binding.request` and, if present on the old row, `binding.header` are compared; an unbound row only by an unbound claim), raising its generation.
    /// `Done`: ours. `Refused`: the row that stands in the way.
    async fn claim(&self, new: NewRecord) -> Result<Advance, StoreError>;

    async fn find(&self, id: PaymentId) -> Result<Option<Record>, StoreError>;

    /// Applies a transition to a row of that generation, with its entries. Repeating an applied one is refused, harmlessly.
    async fn advance(&self, id: PaymentId, generation: u64, transition: Transition, now: Timestamp) -> Result<Advance, StoreError>;

    /// Payments that are not final, oldest first, of one network or of all; for recovery and watching.
    async fn open_payments(&self, network: Option<&Network>) -> Result<Vec<Record>, StoreError>;

    async fn list(&self, filter: ListFilter) -> Result<Vec<Record>, StoreError>;

    async fn entries(&self, id: PaymentId) -> Result<Vec<Entry>, StoreError>;

    /// Notes the digest of the request's body, read to its end.
    async fn note_body(&self, id: PaymentId, generation: u64, digest: B256) -> Result<(), StoreError>;

    /// Notes that the last byte was handed to the socket, and ends a redelivery that did it.
    async fn note_delivered(&self, id: PaymentId, generation: u64, now: Timestamp) -> Result<(), StoreError>;

    /// One atomic durable update: a settled, undelivered row without a redelivery under way, within `limit` and 24 h of its settlement.
    async fn begin_redelivery(&self, id: PaymentId, worker: &WorkerId, limit: u32, now: Timestamp) -> Result<RedeliveryGrant, StoreError>;

    /// Ends it; `charged`: the origin answered with a charged status, so that it counts.
    async fn end_redelivery(&self, id: PaymentId, worker: &WorkerId, charged: bool, now: Timestamp) -> Result<(), StoreError>;

    async fn keep_reply(&self, id: PaymentId, generation: u64, reply: KeptReply) -> Result<(), StoreError>;

    /// The kept reply, if it is younger than 24 h.
    async fn kept_reply(&self, id: PaymentId, now: Timestamp) -> Result<Option<KeptReply>, StoreError>;

    /// Removes kept replies older than 24 h.
    async fn drop_old_replies(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// A secret of 32 bytes, made at the first call and shared by all processes on this store (quotes, PAYMENT-CONTEXT).
    async fn secret(&self, name: &str) -> Result<[u8; 32], StoreError>;

    /// Enters this process; its id is new and alive until the process ends or stops beating for 20 s.
    async fn enter_worker(&self, now: Timestamp) -> Result<WorkerId, StoreError>;

    /// A sign of life, every 5 s.
    async fn beat(&self, worker: &WorkerId, now: Timestamp) -> Result<(), StoreError>;

    /// Whether that worker is gone: its process ended, or it has not beaten for 20 s.
    async fn is_gone(&self, worker: &WorkerId, now: Timestamp) -> Result<bool, StoreError>;

    /// Takes over claims and redeliveries of workers that are gone: `Claimed` rows become `Released`, redeliveries end uncharged. Rows with an attempt stay as they are.
    /// Returns how many.
    async fn release_orphans(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Asks for a lane: free, ours, or its holder gone → held under a new epoch.
    async fn hold_lane(&self, network: &Network, signer: Address, worker: &WorkerId, now: Timestamp) -> Result<LaneOutcome, StoreError>;

    /// Gives a lane back at a clean end.
    async fn leave_lane(&self, lease: &LaneLease) -> Result<(), StoreError>;
}
