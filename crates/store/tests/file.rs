//! What only a file can show: its mode, its schema, processes that die or are paused, and what survives them.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(unix)]

#[allow(dead_code)]
mod suite;

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use ledger::{Fault, LaneOutcome, NewRecord, State, Store, WorkerId};
use rusqlite::Connection;
use store::OpenError;
use suite::rows::*;
use x402::PaymentId;

const FILE: &str = "tollway.db";

fn open(folder: &Path) -> Arc<dyn Store> {
    store::open("sqlite:tollway.db", folder).unwrap()
}

fn refusal(url: &str, folder: &Path) -> OpenError {
    store::open(url, folder).err().unwrap()
}

#[test]
fn the_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
    assert!(folder.path().join(FILE).exists());
}

#[test]
fn urls_are_understood_or_refused_by_name() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let absolute = elsewhere.path().join("absolute.db");
    store::open(&format!("sqlite:{}", absolute.display()), folder.path()).unwrap();
    store::open(&format!("sqlite://{}", absolute.display()), folder.path()).unwrap();
    assert!(absolute.exists());
    for url in ["postgres://db/tollway", "postgresql://db/tollway"] {
        let error = refusal(url, folder.path());
        assert!(matches!(error, OpenError::NotBuilt) && error.to_string().contains("PostgreSQL"), "{error}");
    }
    for url in ["", "tollway.db", "sqlite:", "sqlite://host/tollway.db", "sqlite:a.db?mode=ro", "sqlite::other:", "mysql://db"] {
        assert!(matches!(refusal(url, folder.path()), OpenError::Url(_)), "{url}");
    }
    let missing = refusal("sqlite:no/such/folder/tollway.db", folder.path());
    assert!(matches!(missing, OpenError::File { .. }) && missing.to_string().contains("no/such/folder"), "{missing}");
}

#[tokio::test]
async fn a_store_that_is_opened_again_holds_what_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (record, secret) = (settled(&*store, 1).await, store.secret("quote").await.unwrap());
    drop(store);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [FILE], "a clean end leaves one file");
    let store = open(folder.path());
    assert_eq!(store.find(record.id).await.unwrap(), Some(record));
    assert_eq!(store.secret("quote").await.unwrap(), secret);
}

#[tokio::test]
async fn a_newer_schema_stops_the_start_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.execute("INSERT INTO migrations (version) VALUES (9999)", []).unwrap();
    let error = refusal("sqlite:tollway.db", folder.path());
    assert!(matches!(error, OpenError::Newer { found: 9999, known: 2 }), "{error}");
    raw.execute("DELETE FROM migrations WHERE version = 9999", []).unwrap();
    open(folder.path());
}

#[test]
fn what_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.execute_batch("CREATE TABLE birds (name TEXT)").unwrap();
    assert!(matches!(refusal("sqlite:tollway.db", folder.path()), OpenError::NotAStore));
    let tables: i64 = raw.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
    std::fs::write(folder.path().join("text.db"), "not a database at all, but long enough to be looked at as if it were one, surely.")
        .unwrap();
    let error = refusal("sqlite:text.db", folder.path());
    assert!(matches!(&error, OpenError::Store(cause) if cause.fault == Fault::Corrupt), "{error}");
}

#[tokio::test]
async fn a_state_without_a_name_is_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let record = claim(&*store, payment(1)).await;
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.execute("UPDATE payments SET state = 'advanced'", []).unwrap();
    let error = store.find(record.id).await.unwrap_err();
    assert_eq!(error.fault, Fault::Corrupt);
    assert!(error.message.contains("advanced"), "{error}");
    assert_eq!(store.claim(payment(1)).await.unwrap_err().fault, Fault::Corrupt);
    claim(&*store, payment(2)).await;
}

#[tokio::test]
async fn entries_are_never_changed_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    settled(&*store, 1).await;
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.execute("UPDATE entries SET amount = '1'", []).unwrap_err();
    raw.execute("DELETE FROM entries", []).unwrap_err();
    raw.execute("INSERT INTO entries SELECT 99, payment, debit, credit, network, asset, '0', booked_at FROM entries", []).unwrap_err();
}

#[tokio::test]
async fn a_stores_own_worker_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(folder.path()), open(folder.path()));
    let worker = first.enter_worker(NOW).await.unwrap();
    assert!(!second.is_gone(&worker, NOW.after(1_000_000)).await.unwrap(), "its lock is held, whatever the clock says");
    drop(first);
    assert!(second.is_gone(&worker, NOW).await.unwrap(), "at once");
}

// Children: this very binary, started anew.

const CHILD: &str = "STORE_TEST_CHILD";

/// Claims and says so, as often as it is told or until it is killed; says first who it is.
#[test]
fn child() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let (claims, folder) = told.split_once(' ').unwrap();
    let claims: u64 = claims.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let store = open(Path::new(folder));
        let worker = store.enter_worker(NOW).await.unwrap();
        println!("\nworker {worker}");
        store.hold_lane(&network(), signer(), &worker, NOW).await.unwrap();
        for n in 0..claims {
            let record = claim(&*store, NewRecord { worker: worker.clone(), ..payment(n) }).await;
            println!("claimed {}", record.id);
        }
        std::future::pending::<()>().await;
    });
}

struct Spawned {
    process: Child,
    said: std::io::Lines<BufReader<std::process::ChildStdout>>,
    worker: WorkerId,
}

impl Spawned {
    fn start(folder: &Path, claims: u64) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, format!("{claims} {}", folder.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let worker = said.find_map(|line| line.unwrap().strip_prefix("worker ").map(str::to_owned)).unwrap();
        Self { process, said, worker: WorkerId(worker) }
    }

    fn claimed(&mut self) -> impl Iterator<Item = PaymentId> {
        self.said.by_ref().filter_map(|line| line.ok()?.strip_prefix("claimed ")?.parse().ok())
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Spawned::start(folder.path(), u64::MAX);
    let mut answered: Vec<PaymentId> = child.claimed().take(50).collect();
    child.process.kill().unwrap();
    answered.extend(child.claimed()); // what it still said before the end
    child.process.wait().unwrap();
    let store = open(folder.path());
    for id in &answered {
        let record = store.find(*id).await.unwrap().unwrap();
        assert_eq!(record.state, State::Claimed);
    }
    assert!(answered.len() >= 50);
    // It is known to be gone at once, and what it held is free.
    let heir = store.enter_worker(NOW).await.unwrap();
    let lane = store.hold_lane(&network(), signer(), &heir, NOW).await.unwrap();
    assert!(matches!(lane, LaneOutcome::Held(lease) if lease.epoch == 2));
    assert!(store.release_orphans(NOW).await.unwrap() >= 50);
    assert_eq!(store.find(answered[0]).await.unwrap().unwrap().state, State::Released);
    let locks =
        std::fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "lock"));
    assert_eq!(locks.count(), 1, "only the heir's is left");
}

#[tokio::test]
async fn a_paused_process_is_alive() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut child = Spawned::start(folder.path(), 1); // so that it is not paused in the middle of a write, with the file locked
    let claimed = child.claimed().next().unwrap();
    child.signal("-STOP");
    let much_later = NOW.after(1_000_000);
    assert!(!store.is_gone(&child.worker, much_later).await.unwrap());
    let heir = store.enter_worker(much_later).await.unwrap();
    let lane = store.hold_lane(&network(), signer(), &heir, much_later).await.unwrap();
    assert_eq!(lane, LaneOutcome::Busy(child.worker.clone()));
    assert_eq!(store.release_orphans(much_later).await.unwrap(), 0);
    assert_eq!(store.find(claimed).await.unwrap().unwrap().state, State::Claimed);
}
