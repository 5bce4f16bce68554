//! The store on SQLite: one writer, some readers.

mod books;
mod connection;
mod failure;
mod lanes;
mod list;
mod migrations;
mod payments;
mod queue;
mod record;
mod redelivery;
mod replies;
mod secrets;
#[cfg(test)]
mod tests;
mod value;
mod workers;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use ledger::{
    Advance, Attempt, Balance, Entry, KeptReply, LaneLease, LaneOutcome, ListFilter, NewRecord, Record, RedeliveryGrant, Store, StoreError,
    Transition, WorkerId,
};
use rusqlite::Connection;
use x402::{Address, B256, Network, PaymentId, Timestamp};

pub use connection::OpenError;
use failure::Failure;
use payments::Claim;
use queue::Queue;
use workers::Locks;

/// Threads that read beside the writer.
const READERS: usize = 2;

/// A store in one SQLite file, or in memory.
pub(crate) struct Sqlite {
    // Fields are dropped in this order: readers end first, then the writer, which leaves a checkpointed file, then the locks.
    readers: Option<Queue>,
    writer: Queue,
    locks: Arc<Locks>,
}

impl Sqlite {
    /// In memory, reads go through the writer's connection: there is no other.
    pub(crate) fn in_memory() -> Result<Self, OpenError> {
        Ok(Self { readers: None, writer: Queue::writer(connection::in_memory()?)?, locks: Arc::new(Locks::none()) })
    }

    pub(crate) fn at(path: &Path) -> Result<Self, OpenError> {
        let writer = connection::writer(path)?;
        let readers = (0..READERS).map(|_| connection::reader(path)).collect::<Result<Vec<_>, _>>()?;
        let locks = Arc::new(Locks::beside(path));
        Ok(Self { readers: Some(Queue::readers(readers)?), writer: Queue::writer(writer)?, locks })
    }

    /// Durable once it answers.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.ask(work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.as_ref().unwrap_or(&self.writer).ask(work).await
    }
}

impl Drop for Sqlite {
    /// A clean end is known at once, without the wait for a heartbeat that does not come.
    fn drop(&mut self) {
        for worker in self.locks.ours() {
            self.writer.tell(queue::unheard(move |connection| workers::forget(connection, &worker)));
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn claim(&self, new: NewRecord) -> Result<Advance, StoreError> {
        let writer = self.writer.outlived();
        let (at, claim) = (new.now, move |connection: &Connection| payments::claim(connection, new));
        self.writer.ask_armed(claim, move |advance| Claim::new(advance, at, writer)).await?.heard()
    }

    async fn find(&self, id: PaymentId) -> Result<Option<Record>, StoreError> {
        self.read(move |connection| payments::find(connection, id)).await
    }

    async fn advance(&self, id: PaymentId, generation: u64, transition: Transition, now: Timestamp) -> Result<Advance, StoreError> {
        self.write(move |connection| payments::advance(connection, id, generation, &transition, now)).await
    }

    async fn open_payments(&self, network: Option<&Network>) -> Result<Vec<Record>, StoreError> {
        let network = network.cloned();
        self.read(move |connection| list::open(connection, network.as_ref())).await
    }

    async fn list(&self, filter: ListFilter) -> Result<Vec<Record>, StoreError> {
        self.read(move |connection| list::newest(connection, &filter)).await
    }

    async fn entries(&self, id: PaymentId) -> Result<Vec<Entry>, StoreError> {
        self.read(move |connection| books::entries(connection, id)).await
    }

    async fn balances(&self) -> Result<Vec<Balance>, StoreError> {
        self.read(books::balances).await
    }

    async fn attempts(&self, id: PaymentId) -> Result<Vec<Attempt>, StoreError> {
        self.read(move |connection| list::attempts(connection, id)).await
    }

    async fn note_body(&self, id: PaymentId, generation: u64, digest: B256) -> Result<(), StoreError> {
        self.write(move |connection| payments::note_body(connection, id, generation, digest)).await
    }

    async fn note_delivered(&self, id: PaymentId, generation: u64, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| redelivery::delivered(connection, id, generation, now)).await
    }

    async fn begin_redelivery(&self, id: PaymentId, worker: &WorkerId, limit: u32, now: Timestamp) -> Result<RedeliveryGrant, StoreError> {
        let worker = worker.clone();
        self.write(move |connection| redelivery::begin(connection, id, &worker, limit, now)).await
    }

    async fn end_redelivery(&self, id: PaymentId, worker: &WorkerId, charged: bool, now: Timestamp) -> Result<(), StoreError> {
        let worker = worker.clone();
        self.write(move |connection| redelivery::end(connection, id, &worker, charged, now)).await
    }

    async fn keep_reply(&self, id: PaymentId, generation: u64, reply: KeptReply) -> Result<(), StoreError> {
        self.write(move |connection| replies::keep(connection, id, generation, &reply)).await
    }

    async fn kept_reply(&self, id: PaymentId, now: Timestamp) -> Result<Option<KeptReply>, StoreError> {
        self.read(move |connection| replies::kept(connection, id, now)).await
    }

    async fn drop_old_replies(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| replies::drop_old(connection, now)).await
    }

    async fn secret(&self, name: &str) -> Result<[u8; 32], StoreError> {
        let name = name.to_owned();
        self.write(move |connection| secrets::shared(connection, &name)).await
    }

    async fn enter_worker(&self, now: Timestamp) -> Result<WorkerId, StoreError> {
        let locks = Arc::clone(&self.locks);
        self.write(move |connection| workers::enter(connection, &locks, now)).await
    }

    async fn beat(&self, worker: &WorkerId, now: Timestamp) -> Result<(), StoreError> {
        let worker = worker.clone();
        self.write(move |connection| workers::beat(connection, &worker, now)).await
    }

    async fn is_gone(&self, worker: &WorkerId, now: Timestamp) -> Result<bool, StoreError> {
        let (worker, locks) = (worker.clone(), Arc::clone(&self.locks));
        self.read(move |connection| workers::is_gone(connection, &locks, &worker, now)).await
    }

    async fn release_orphans(&self, now: Timestamp) -> Result<u64, StoreError> {
        let locks = Arc::clone(&self.locks);
        self.write(move |connection| workers::release_orphans(connection, &locks, now)).await
    }

    async fn hold_lane(&self, network: &Network, signer: Address, worker: &WorkerId, now: Timestamp) -> Result<LaneOutcome, StoreError> {
        let (network, worker, locks) = (network.clone(), worker.clone(), Arc::clone(&self.locks));
        self.write(move |connection| lanes::hold(connection, &locks, &network, signer, &worker, now)).await
    }

    async fn note_filler(&self, lease: &LaneLease, filler: &Attempt, now: Timestamp) -> Result<bool, StoreError> {
        let (lease, filler) = (lease.clone(), filler.clone());
        self.write(move |connection| lanes::note_filler(connection, &lease, &filler, now)).await
    }

    async fn leave_lane(&self, lease: &LaneLease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |connection| lanes::leave(connection, &lease)).await
    }
}
