use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::{chain::ChainError, own::batcher::Batcher};

#[tokio::test]
async fn what_is_asked_while_calls_are_under_way_shares_the_next() {
    let (calls, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counted, gated) = (Arc::clone(&calls), Arc::clone(&gate));
    let batcher = Batcher::start(&Handle::current(), 64, move |questions: Vec<u32>| {
        counted.fetch_add(1, Ordering::SeqCst);
        let gate = Arc::clone(&gated);
        async move {
            drop(gate.acquire().await);
            Ok(questions.into_iter().map(|question| question * 2).collect())
        }
    });
    let asked = join_all((0..100).map(|question| batcher.ask(question)));
    let opened = async {
        // Everything asked so far is queued before the first answer.
        tokio::task::yield_now().await;
        gate.add_permits(1_000);
    };
    let (answers, ()) = tokio::join!(asked, opened);
    let doubled: Vec<u32> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(doubled, (0..100).map(|question| question * 2).collect::<Vec<_>>());
    assert!(calls.load(Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn an_error_is_everybodys() {
    let batcher: Batcher<u32, u32> = Batcher::start(&Handle::current(), 64, |_| async { Err(ChainError("down".into())) });
    for answer in join_all((0..3).map(|question| batcher.ask(question))).await {
        assert_eq!(answer, Err(ChainError("down".into())));
    }
}

#[tokio::test]
async fn too_few_answers_leave_nobody_waiting() {
    let batcher: Batcher<u32, u32> = Batcher::start(&Handle::current(), 64, |_| async { Ok(Vec::new()) });
    assert!(batcher.ask(1).await.is_err());
}
