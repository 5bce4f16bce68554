//! Work for connections: bounded queues in front of threads. The writer commits what waits together.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use ledger::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;

/// At most this many pieces of work wait; who comes then waits for a place.
const WAITING: usize = 1024;
/// At most this many share a commit: enough to make the fsync cheap, few enough that the first does not wait for the last.
const TOGETHER: usize = 128;

/// Threads with a connection each, and the queue in front of them. Dropped, it ends them when the queue is empty.
pub(crate) struct Queue {
    sender: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// A queue that may be gone already.
pub(crate) type Outlived = mpsc::WeakSender<Job>;

pub(crate) type Job = Box<dyn Work>;

/// One piece of work: it runs once, and answers once what it did counts.
pub(crate) trait Work: Send {
    /// Whether it succeeded. What a failed one wrote is rolled back.
    fn run(&mut self, connection: &Connection) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Question<T, F, A> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    answer: A,
}

impl<T, F, A> Work for Question<T, F, A>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Failure> + Send,
    A: FnOnce(Result<T, StoreError>) + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let outcome = self.work.take().map(|work| work(connection).map_err(|failure| failure.0));
        let succeeded = matches!(outcome, Some(Ok(_)));
        self.outcome = outcome;
        succeeded
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = self.outcome.unwrap_or_else(|| Err(stopped()));
        (self.answer)(committed.and(outcome));
    }
}

/// A piece of work whose answer nobody waits for.
pub(crate) fn unheard<T: Send + 'static>(work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static) -> Job {
    let answer = |outcome: Result<T, StoreError>| {
        if let Err(error) = outcome {
            tracing::warn!(%error, "work that nobody waits for failed");
        }
    };
    Box::new(Question { work: Some(work), outcome: None, answer })
}

impl Queue {
    pub(crate) fn writer(connection: Connection) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("store-writer".into()).spawn(move || write(connection, receiver))?;
        Ok(Self { sender: Some(sender), threads: vec![thread] })
    }

    pub(crate) fn readers(connections: Vec<Connection>) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        let spawn = |connection| {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new().name("store-reader".into()).spawn(move || read(&connection, &receiver))
        };
        let threads = connections.into_iter().map(spawn).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { sender: Some(sender), threads })
    }

    /// Asks for work, and waits for its outcome.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask_armed(work, |outcome| outcome).await
    }

    /// As [`Queue::ask`]; `arm` wraps the outcome once it counts, so that what it wraps notices when nobody takes it.
    pub(crate) async fn ask_armed<T: Send + 'static, U: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
        arm: impl FnOnce(T) -> U + Send + 'static,
    ) -> Result<U, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let answer = move |outcome: Result<T, StoreError>| drop(reply.send(outcome.map(arm)));
        let sender = self.sender.as_ref().ok_or_else(stopped)?;
        sender.send(Box::new(Question { work: Some(work), outcome: None, answer })).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }

    /// Leaves work behind, if there is place.
    pub(crate) fn tell(&self, job: Job) {
        if self.sender.as_ref().is_none_or(|sender| sender.try_send(job).is_err()) {
            tracing::warn!("the store's queue is full: the last words of this process are lost");
        }
    }

    pub(crate) fn outlived(&self) -> Option<Outlived> {
        self.sender.as_ref().map(mpsc::Sender::downgrade)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.sender = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
        }
    }
}

fn stopped() -> StoreError {
    Failure::unavailable("the store has stopped").0
}

fn read(connection: &Connection, receiver: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(mut job) = next else { return };
        job.run(connection);
        job.answer(Ok(()));
    }
}

fn write(connection: Connection, mut receiver: mpsc::Receiver<Job>) {
    while let Some(first) = receiver.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < TOGETHER {
            let Ok(next) = receiver.try_recv() else { break };
            batch.push(next);
        }
        let committed = commit_together(&connection, &mut batch).map_err(|failure| failure.0);
        if let Err(error) = &committed {
            tracing::warn!(%error, together = batch.len(), "a commit failed: nothing of it was written");
            // What waits behind it has waited as long: a disk that stands still must not be waited for once per batch.
            while let Ok(next) = receiver.try_recv() {
                batch.push(next);
            }
        }
        for job in batch {
            job.answer(committed.clone());
        }
    }
    if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the last checkpoint failed; the next start makes up for it");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the store did not close cleanly");
    }
}

/// Runs the batch in one transaction, each piece under its own savepoint, and commits.
///
/// On an error nothing of it is written as far as any living process sees: the transaction is rolled back. Should the machine lose power at this very
/// moment, a commit may still turn up; its worker is then gone, and what it claimed is released as an orphan's.
fn commit_together(connection: &Connection, batch: &mut [Job]) -> Result<(), Failure> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?; // an earlier one failed
    }
    let outcome = begin_run_commit(connection, batch);
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    outcome
}

fn begin_run_commit(connection: &Connection, batch: &mut [Job]) -> Result<(), Failure> {
    step(connection, "BEGIN IMMEDIATE")?;
    for job in batch {
        step(connection, "SAVEPOINT work")?;
        let succeeded = job.run(connection);
        if connection.is_autocommit() {
            return Err(Failure::unavailable("the transaction was given up (disk full?)"));
        }
        if !succeeded {
            step(connection, "ROLLBACK TO work")?;
        }
        step(connection, "RELEASE work")?;
    }
    // Whatever it failed for, it was not one piece's fault alone that can be named.
    step(connection, "COMMIT").map_err(|failure| Failure::unavailable(format!("the commit failed: {}", failure.0.message)))
}

fn step(connection: &Connection, statement: &str) -> Result<(), Failure> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}
