//! Workers that end, and what becomes of their work. Without a lock file here: the heartbeat decides.

use ledger::{NewRecord, RedeliveryGrant, State, WorkerId};

use super::{Place, rows::*};

/// A worker without a lock: it is what its heartbeat says.
async fn beating(place: &Place) -> WorkerId {
    let worker = WorkerId("beating".into());
    place.first.beat(&worker, NOW).await.unwrap();
    worker
}

pub async fn a_silent_worker_is_gone(place: &Place) {
    let worker = beating(place).await;
    let gone = |after| place.second.is_gone(&worker, NOW.after(after));
    assert!(!gone(0).await.unwrap());
    assert!(!gone(20).await.unwrap());
    assert!(gone(21).await.unwrap());
    assert!(place.first.is_gone(&WorkerId("never seen".into()), NOW).await.unwrap());
    let entered = place.first.enter_worker(NOW).await.unwrap();
    assert!(!place.second.is_gone(&entered, NOW).await.unwrap());
    assert_ne!(entered, place.second.enter_worker(NOW).await.unwrap());
}

pub async fn one_who_beats_again_lives(place: &Place) {
    let worker = beating(place).await;
    place.second.release_orphans(NOW.after(100)).await.unwrap();
    assert!(place.second.is_gone(&worker, NOW.after(100)).await.unwrap());
    place.first.beat(&worker, NOW.after(100)).await.unwrap();
    assert!(!place.second.is_gone(&worker, NOW.after(110)).await.unwrap());
}

pub async fn orphans_are_released_and_their_bytes_stay(place: &Place) {
    let store = &*place.first;
    let claimed = in_state(store, 1, State::Claimed).await;
    let submitted = in_state(store, 2, State::Submitted).await;
    let settled = settled(store, 3).await; // its first delivery was under way
    assert_eq!(place.second.release_orphans(NOW).await.unwrap(), 3);
    let released = store.find(claimed.id).await.unwrap().unwrap();
    assert_eq!((released.state, released.reason.as_deref(), &released.redelivering), (State::Released, Some("worker_gone"), &None));
    let resumed = store.find(submitted.id).await.unwrap().unwrap();
    assert_eq!((resumed.state, &resumed.attempt), (State::Submitted, &Some(own(2))));
    let heir = place.second.enter_worker(NOW).await.unwrap();
    let grant = place.second.begin_redelivery(settled.id, &heir, 3, NOW).await.unwrap();
    assert!(matches!(grant, RedeliveryGrant::Granted(record) if record.redeliveries == 0));
    assert_eq!(place.second.release_orphans(NOW).await.unwrap(), 0);
    claim(store, payment(1)).await;
}

pub async fn the_living_keep_their_claims(place: &Place) {
    let (living, silent) = (place.first.enter_worker(NOW).await.unwrap(), beating(place).await);
    let by = |worker: &WorkerId, n| NewRecord { worker: worker.clone(), ..payment(n) };
    let (a, b) = (claim(&*place.first, by(&living, 1)).await, claim(&*place.first, by(&silent, 2)).await);
    place.first.beat(&living, NOW.after(10)).await.unwrap();
    assert_eq!(place.second.release_orphans(NOW.after(25)).await.unwrap(), 1);
    assert_eq!(place.first.find(a.id).await.unwrap().unwrap().state, State::Claimed);
    assert_eq!(place.first.find(b.id).await.unwrap().unwrap().state, State::Released);
}

pub async fn secrets_are_shared(place: &Place) {
    let quote = place.first.secret("quote").await.unwrap();
    assert_eq!(place.second.secret("quote").await.unwrap(), quote);
    assert_ne!(place.second.secret("context").await.unwrap(), quote);
    assert_ne!(quote, [0; 32]);
}
