//! Workers: the processes on this store, and whether they live.
//!
//! Beside a file every worker holds a lock on a file of its own until its process ends, however it ends: that is known at once, and a paused
//! process is alive. Without one (in memory, or the file was removed) a heartbeat older than 20 seconds counts as the end.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ledger::WorkerId;
use rusqlite::{Connection, OptionalExtension, params};
use x402::Timestamp;

use super::{failure::Failure, secrets, value::integer};

/// Seconds without a sign of life.
const SILENCE: u64 = 20;

/// The lock files beside a store, and those that are ours.
pub(crate) struct Locks {
    /// The database's path, without `-worker-<id>.lock`.
    beside: Option<PathBuf>,
    held: Mutex<Vec<(WorkerId, File)>>,
}

/// What a lock file says of its worker.
enum Lock {
    Held,
    Free,
    /// There is none.
    Missing,
}

impl Locks {
    pub(crate) fn none() -> Self {
        Self { beside: None, held: Mutex::default() }
    }

    pub(crate) fn beside(database: &Path) -> Self {
        Self { beside: Some(database.to_owned()), held: Mutex::default() }
    }

    fn path(&self, worker: &WorkerId) -> Option<PathBuf> {
        let mut path = OsString::from(self.beside.as_ref()?);
        path.push(format!("-worker-{worker}.lock"));
        Some(path.into())
    }

    /// Held until this store is dropped or the process ends.
    fn take(&self, worker: &WorkerId) -> io::Result<()> {
        let Some(path) = self.path(worker) else { return Ok(()) };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.lock()?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push((worker.clone(), file));
        Ok(())
    }

    /// Those of this process.
    pub(crate) fn ours(&self) -> Vec<WorkerId> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(worker, _)| worker.clone()).collect()
    }

    /// Tried as a shared lock, so that two who look do not take each other for the worker.
    fn look(&self, worker: &WorkerId) -> io::Result<Lock> {
        let Some(path) = self.path(worker) else { return Ok(Lock::Missing) };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::Missing),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Lock::Free),
            Err(TryLockError::WouldBlock) => Ok(Lock::Held),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn remove(&self, worker: &WorkerId) {
        let Some(path) = self.path(worker) else { return };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "a lock file stays behind")
            }
            _ => {}
        }
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        self.ours().iter().for_each(|worker| self.remove(worker));
    }
}

pub(crate) fn enter(connection: &Connection, locks: &Locks, now: Timestamp) -> Result<WorkerId, Failure> {
    let mut random = [0; 8];
    secrets::random(&mut random)?;
    let worker = WorkerId(alloy_primitives::hex::encode(random));
    locks.take(&worker).map_err(|error| Failure::unavailable(format!("cannot lock the worker's file: {error}")))?;
    beat(connection, &worker, now)?;
    Ok(worker)
}

/// One who beats is alive, even if it was taken for gone.
pub(crate) fn beat(connection: &Connection, worker: &WorkerId, now: Timestamp) -> Result<(), Failure> {
    connection
        .prepare_cached("INSERT INTO workers (id, beat_at) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at")?
        .execute(params![worker.0, integer(now.0)?])?;
    Ok(())
}

pub(crate) fn is_gone(connection: &Connection, locks: &Locks, worker: &WorkerId, now: Timestamp) -> Result<bool, Failure> {
    match locks.look(worker).map_err(|error| Failure::unavailable(format!("cannot look at the worker's lock: {error}")))? {
        Lock::Held => return Ok(false),
        Lock::Free => return Ok(true),
        Lock::Missing => {}
    }
    let beat_at: Option<i64> =
        connection.prepare_cached("SELECT beat_at FROM workers WHERE id = ?1")?.query_row([&worker.0], |row| row.get(0)).optional()?;
    let Some(beat_at) = beat_at else { return Ok(true) };
    Ok(integer(now.0)?.saturating_sub(beat_at) > integer(SILENCE)?)
}

/// Every worker that holds a claim or a delivery, or is known at all. The first condition of the first is that of its index.
const KNOWN: &str = "\
    SELECT worker FROM payments WHERE state IN ('claimed', 'submitted', 'unknown', 'reverted') AND state = 'claimed' \
    UNION SELECT redelivering FROM payments WHERE redelivering IS NOT NULL \
    UNION SELECT id FROM workers";

pub(crate) fn release_orphans(connection: &Connection, locks: &Locks, now: Timestamp) -> Result<u64, Failure> {
    let known = connection.prepare_cached(KNOWN)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let mut taken = 0;
    for worker in known.into_iter().map(WorkerId) {
        if is_gone(connection, locks, &worker, now)? {
            taken += release(connection, &worker, now)?;
            locks.remove(&worker);
        }
    }
    Ok(taken)
}

fn release(connection: &Connection, gone: &WorkerId, now: Timestamp) -> Result<u64, Failure> {
    let now = integer(now.0)?;
    let claims = connection
        .prepare_cached(
            "UPDATE payments SET state = 'released', reason = 'worker_gone', redelivering = NULL, updated_at = ?1 \
             WHERE state IN ('claimed', 'submitted', 'unknown', 'reverted') AND state = 'claimed' AND worker = ?2",
        )?
        .execute(params![now, gone.0])?;
    let deliveries = connection
        .prepare_cached("UPDATE payments SET redelivering = NULL, updated_at = ?1 WHERE redelivering = ?2")?
        .execute(params![now, gone.0])?;
    forget(connection, gone)?;
    Ok((claims + deliveries) as u64)
}

/// A worker that is not known is gone.
pub(crate) fn forget(connection: &Connection, worker: &WorkerId) -> Result<(), Failure> {
    connection.prepare_cached("DELETE FROM workers WHERE id = ?1")?.execute([&worker.0])?;
    Ok(())
}
