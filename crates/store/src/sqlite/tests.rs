//! The writer when the disk or another process does not do its part.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{pin::pin, time::Duration};

use futures_util::{future::join, poll};
use ledger::Fault;
use rusqlite::Connection;

use super::{connection, failure::Failure, queue::Queue};

fn put(connection: &Connection, blob: Vec<u8>) -> Result<usize, Failure> {
    Ok(connection.execute("INSERT INTO pile (blob) VALUES (?1)", [blob])?)
}

fn pile(connection: &Connection) -> i64 {
    connection.query_row("SELECT count(*) FROM pile", [], |row| row.get(0)).unwrap()
}

async fn piled(queue: &Queue) -> i64 {
    queue.ask(|connection| Ok(pile(connection))).await.unwrap()
}

fn with_pile() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let connection = connection::writer(&folder.path().join("t.db")).unwrap();
    connection.execute_batch("CREATE TABLE pile (blob BLOB)").unwrap();
    (folder, connection)
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_then_not() {
    let (_folder, connection) = with_pile();
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let queue = Queue::writer(connection).unwrap();
    let error = queue.ask(|connection| put(connection, vec![1; 1 << 20])).await.unwrap_err();
    assert_eq!(error.fault, Fault::Unavailable, "{error}");
    queue.ask(|connection| put(connection, vec![1; 10])).await.unwrap();
    queue.ask(|connection| Ok(connection.pragma_update(None, "max_page_count", 10_000)?)).await.unwrap();
    queue.ask(|connection| put(connection, vec![1; 1 << 20])).await.unwrap();
    assert_eq!(piled(&queue).await, 2);
}

#[tokio::test]
async fn another_process_that_holds_the_file_is_waited_for_and_then_unavailable() {
    let (folder, connection) = with_pile();
    connection.busy_timeout(Duration::from_millis(50)).unwrap();
    let queue = Queue::writer(connection).unwrap();
    let hog = Connection::open(folder.path().join("t.db")).unwrap();
    hog.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (a, b) = join(queue.ask(|c| put(c, vec![1])), queue.ask(|c| put(c, vec![2]))).await;
    assert_eq!((a.unwrap_err().fault, b.unwrap_err().fault), (Fault::Unavailable, Fault::Unavailable));
    hog.execute_batch("COMMIT").unwrap();
    queue.ask(|connection| put(connection, vec![3])).await.unwrap();
    assert_eq!(piled(&queue).await, 1, "what was answered Unavailable was not written");
}

/// A commit that fails at its very end: a deferred constraint is looked at only there.
#[tokio::test]
async fn a_failed_commit_fails_all_that_shared_it_and_nothing_of_it_stands() {
    let (_folder, connection) = with_pile();
    connection
        .execute_batch("CREATE TABLE twig (id INTEGER PRIMARY KEY, of INTEGER REFERENCES twig (id) DEFERRABLE INITIALLY DEFERRED)")
        .unwrap();
    let queue = Queue::writer(connection).unwrap();
    // The first keeps the writer busy until the others wait together.
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (end, may_end) = std::sync::mpsc::channel();
    let busy = queue.ask(move |_| {
        begun.send(()).unwrap();
        may_end.recv().unwrap();
        Ok(())
    });
    let others = async {
        has_begun.await.unwrap();
        let mut good = pin!(queue.ask(|connection| put(connection, vec![1])));
        let mut broken = pin!(queue.ask(|connection| Ok(connection.execute("INSERT INTO twig (id, of) VALUES (1, 99)", [])?)));
        assert!(poll!(&mut good).is_pending() && poll!(&mut broken).is_pending());
        end.send(()).unwrap();
        (good.await, broken.await)
    };
    let (busy, (good, broken)) = join(busy, others).await;
    busy.unwrap();
    assert_eq!((good.unwrap_err().fault, broken.unwrap_err().fault), (Fault::Unavailable, Fault::Unavailable));
    assert_eq!(piled(&queue).await, 0);
    queue.ask(|connection| put(connection, vec![2])).await.unwrap();
    assert_eq!(piled(&queue).await, 1);
}

#[tokio::test]
async fn what_waits_when_the_store_ends_is_still_done() {
    let (folder, connection) = with_pile();
    let queue = Queue::writer(connection).unwrap();
    for n in 0..300_u32 {
        queue.tell(super::queue::unheard(move |connection| put(connection, n.to_be_bytes().to_vec())));
    }
    drop(queue);
    assert_eq!(pile(&Connection::open(folder.path().join("t.db")).unwrap()), 300);
    assert!(!folder.path().join("t.db-wal").exists(), "a clean end leaves no log");
}
