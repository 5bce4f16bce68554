//! Where payments are kept. SQLite today; PostgreSQL behind the same trait.

use async_trait::async_trait;
use x402::{Address, AssetId, B256, Network, PaymentId, PaymentKey, Timestamp, U256};

use crate::{Attempt, Balance, Binding, Entry, KeptReply, LaneLease, LaneOutcome, Record, State, Transition, WorkerId};

/// A row to be claimed. `asset` is on the key's network.
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

impl NewRecord {
    /// The row as it stands once it is claimed.
    pub fn claimed(self, id: PaymentId, generation: u64) -> Record {
        Record {
            id,
            key: self.key,
            state: State::Claimed,
            generation,
            asset: self.asset,
            pay_to: self.pay_to,
            amount: self.amount,
            valid_after: self.valid_after,
            valid_before: self.valid_before,
            signature: self.signature,
            redelivering: self.binding.is_some().then(|| self.worker.clone()),
            binding: self.binding,
            worker: self.worker,
            claimed_block: self.claimed_block,
            claimed_at: self.now,
            updated_at: self.now,
            attempt: None,
            settlement: None,
            reason: None,
            body_digest: None,
            delivered: false,
            redeliveries: 0,
            kept: false,
        }
    }
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
    /// Another delivery of it is under way.
    Busy,
    /// Delivered `limit` times at a charged status, or older than 24 h.
    Exhausted,
    /// Not settled, delivered already, or bound to no request.
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
    /// It contradicts what is stored, e.g. evidence that settled another payment: nothing was written, repeating it does not help.
    Conflict,
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
    /// (the same request and byte-equal header, for version 1 also the same source, since what was once on chain is public; an unbound row only by
    /// an unbound claim), raising its generation.
    /// `Done`: ours, and a bound claim's delivery is under way by its worker. `Refused`: the row that stands in the way, which may be our own of an
    /// earlier call: a claim is never granted twice. A call dropped before its answer gives the claim back.
    async fn claim(&self, new: NewRecord) -> Result<Advance, StoreError>;

    async fn find(&self, id: PaymentId) -> Result<Option<Record>, StoreError>;

    /// Applies a transition to a row of that generation, with its entries. Repeating an applied one is refused, harmlessly.
    async fn advance(&self, id: PaymentId, generation: u64, transition: Transition, now: Timestamp) -> Result<Advance, StoreError>;

    /// Payments that are not final, oldest first, of one network or of all; for recovery and watching.
    async fn open_payments(&self, network: Option<&Network>) -> Result<Vec<Record>, StoreError>;

    async fn list(&self, filter: ListFilter) -> Result<Vec<Record>, StoreError>;

    async fn entries(&self, id: PaymentId) -> Result<Vec<Entry>, StoreError>;

    /// The sums of every account in every asset, over all entries: the trial balance.
    async fn balances(&self) -> Result<Vec<Balance>, StoreError>;

    /// Every attempt ever made durable for a payment, of all its generations, oldest first.
    async fn attempts(&self, id: PaymentId) -> Result<Vec<Attempt>, StoreError>;

    /// Notes the digest of the request's body, read to its end.
    async fn note_body(&self, id: PaymentId, generation: u64, digest: B256) -> Result<(), StoreError>;

    /// Notes that the last byte of a settled payment was handed to the socket, and ends the delivery or redelivery that did it.
    async fn note_delivered(&self, id: PaymentId, generation: u64, now: Timestamp) -> Result<(), StoreError>;

    /// One atomic durable update: a settled, undelivered, bound row without a delivery under way (its claimer's first one counts), within `limit` and
    /// 24 h of its settlement.
    async fn begin_redelivery(&self, id: PaymentId, worker: &WorkerId, limit: u32, now: Timestamp) -> Result<RedeliveryGrant, StoreError>;

    /// Ends it undelivered; `charged`: the origin answered with a charged status, so that it counts. The claimer ends its own first delivery with
    /// `charged: false` whenever it stops short of the last byte (a wait that ended in pending, a client that left): from there on it is redeemable.
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

    /// Makes a filler durable: a transaction of our own that only uses up an account nonce. `false`: the lease is lost, or the nonce is that
    /// of a payment which may settle by it (an attempt of its standing generation, and it is open); nothing was written.
    async fn note_filler(&self, lease: &LaneLease, filler: &Attempt, now: Timestamp) -> Result<bool, StoreError>;

    /// Gives a lane back at a clean end.
    async fn leave_lane(&self, lease: &LaneLease) -> Result<(), StoreError>;
}
