//! What goes on for as long as the facilitator runs: signs of life, payments that somebody left behind, replies kept long enough.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ledger::{Attempt, State, StoreError, Submitted, WorkerId};
use tokio::time::{MissedTickBehavior, interval};

use crate::facilitator::Inner;

/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(5);
/// Between two sweeps; with the 20 s after which a silent worker is gone, orphans wait less than 30 s.
const SWEEP: Duration = Duration::from_secs(8);
/// Between two ends of replies that were kept for a day.
const DROP_REPLIES: Duration = Duration::from_secs(3_600);

/// Until the facilitator closes.
pub async fn run(inner: Arc<Inner>) {
    let beats = async {
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = inner.ledger.store().beat(inner.ledger.worker(), inner.ledger.now()).await {
                tracing::error!(%error, "no sign of life can be written: other processes will take this one for gone");
            }
        }
    };
    let sweeps = async {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = sweep(&inner).await {
                tracing::error!(%error, "payments left behind could not be looked for");
            }
        }
    };
    let replies = async {
        let mut ticks = interval(DROP_REPLIES);
        loop {
            ticks.tick().await;
            if let Err(error) = inner.ledger.store().drop_old_replies(inner.ledger.now()).await {
                tracing::warn!(%error, "old replies stay for now");
            }
        }
    };
    tokio::select! {
        () = inner.closing.cancelled() => {}
        () = async { tokio::join!(beats, sweeps, replies); } => {}
    }
}

/// Releases claims of workers that are gone, and watches what they or we have sent and nobody watches.
async fn sweep(inner: &Inner) -> Result<(), StoreError> {
    let (store, now) = (inner.ledger.store(), inner.ledger.now());
    let released = store.release_orphans(now).await?;
    if released > 0 {
        tracing::info!(released, "claims of processes that are gone were released");
    }
    let mut gone: HashMap<WorkerId, bool> = HashMap::new();
    for submitted in inner.ledger.unfinished().await? {
        let worker = submitted.record().worker.clone();
        let orphaned = match gone.get(&worker) {
            Some(known) => *known,
            None => {
                let known = worker == *inner.ledger.worker() || store.is_gone(&worker, now).await?;
                gone.insert(worker, known);
                known
            }
        };
        if orphaned {
            resume(inner, submitted);
        }
    }
    Ok(())
}

/// Watches on. What is watched already is left alone.
fn resume(inner: &Inner, submitted: Submitted) {
    let record = submitted.record();
    if record.state == State::Reverted {
        tracing::error!(payment = %record.id, "its settlement was reorganised away");
        return;
    }
    let by_remote = matches!(record.attempt, Some(Attempt::Remote { .. }));
    match (inner.own.get(&record.key.network), &inner.remote) {
        (_, Some(remote)) if by_remote => remote.resume(submitted),
        (Some(own), _) => own.resume(submitted),
        _ => tracing::warn!(payment = %record.id, network = %record.key.network, "a payment is open on a network that is not configured"),
    }
}
