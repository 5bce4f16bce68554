//! Deliveries and kept replies: for who paid, one at a time, for a day.

use bytes::Bytes;
use ledger::{KeptReply, NewRecord, Record, RedeliveryGrant, State, Store, Transition, WorkerId};
use x402::{B256, Timestamp};

use super::{Place, rows::*};

const DAY: u64 = 24 * 60 * 60;

async fn begin(store: &dyn Store, record: &Record, limit: u32) -> RedeliveryGrant {
    store.begin_redelivery(record.id, &worker(), limit, NOW).await.unwrap()
}

async fn end(store: &dyn Store, record: &Record, charged: bool) {
    store.end_redelivery(record.id, &worker(), charged, NOW).await.unwrap();
}

/// Settled, and its first delivery has stopped short.
async fn redeemable(store: &dyn Store, n: u64) -> Record {
    let record = settled(store, n).await;
    end(store, &record, false).await;
    record
}

fn granted(grant: RedeliveryGrant) -> Record {
    match grant {
        RedeliveryGrant::Granted(record) => record,
        other => panic!("{other:?}"),
    }
}

pub async fn a_first_delivery_keeps_others_out(place: &Place) {
    let record = settled(&*place.first, 1).await;
    assert_eq!(record.redelivering, Some(worker()));
    assert_eq!(begin(&*place.second, &record, 3).await, RedeliveryGrant::Busy);
    end(&*place.first, &record, false).await;
    assert_eq!(granted(begin(&*place.second, &record, 3).await).redeliveries, 0);
}

pub async fn one_redelivery_at_a_time(place: &Place) {
    let record = redeemable(&*place.first, 1).await;
    let (a, b) = futures_util::future::join(begin(&*place.first, &record, 3), begin(&*place.second, &record, 3)).await;
    let grants = [a, b];
    assert_eq!(grants.iter().filter(|grant| matches!(grant, RedeliveryGrant::Granted(_))).count(), 1);
    assert_eq!(grants.iter().filter(|grant| **grant == RedeliveryGrant::Busy).count(), 1);
}

pub async fn attempts_that_charge_are_counted(place: &Place) {
    let store = &*place.first;
    let record = redeemable(store, 1).await;
    for charged in [true, false, false, true] {
        granted(begin(store, &record, 2).await);
        end(store, &record, charged).await;
    }
    assert_eq!(store.find(record.id).await.unwrap().unwrap().redeliveries, 2);
    assert_eq!(begin(store, &record, 2).await, RedeliveryGrant::Exhausted);
    assert_eq!(begin(store, &redeemable(store, 2).await, 0).await, RedeliveryGrant::Exhausted);
}

pub async fn a_day_later_it_is_over(place: &Place) {
    let record = redeemable(&*place.first, 1).await;
    let (worker, store) = (worker(), &place.first);
    let ask = |after| store.begin_redelivery(record.id, &worker, 3, NOW.after(after));
    assert_eq!(ask(DAY).await.unwrap(), RedeliveryGrant::Exhausted);
    granted(ask(DAY - 1).await.unwrap());
}

pub async fn what_is_delivered_stays_delivered(place: &Place) {
    let store = &*place.first;
    let record = settled(store, 1).await;
    store.note_delivered(record.id, record.generation + 1, NOW).await.unwrap();
    assert!(!store.find(record.id).await.unwrap().unwrap().delivered, "of another generation");
    store.note_delivered(record.id, record.generation, NOW).await.unwrap();
    let delivered = store.find(record.id).await.unwrap().unwrap();
    assert_eq!((delivered.delivered, &delivered.redelivering), (true, &None));
    assert_eq!(begin(store, &record, 3).await, RedeliveryGrant::NotRedeemable(delivered));
}

pub async fn what_is_unsettled_or_unbound_is_not_redeemable(place: &Place) {
    let store = &*place.first;
    for (n, state) in (1..).zip(State::ALL.into_iter().filter(|state| *state != State::Settled)) {
        let record = in_state(store, n, state).await;
        assert!(matches!(begin(store, &record, 3).await, RedeliveryGrant::NotRedeemable(_)), "{state:?}");
        store.note_delivered(record.id, record.generation, NOW).await.unwrap();
        let settled_once = matches!(state, State::Reverted | State::Lost);
        assert_eq!(store.find(record.id).await.unwrap().unwrap().delivered, settled_once, "{state:?}");
    }
    let unbound = claim(store, NewRecord { binding: None, ..payment(50) }).await;
    let submitted = submit(store, &unbound, own(50)).await;
    let settled = done(step(store, &submitted, Transition::Settle { settlement: evidence(50) }).await);
    assert!(matches!(begin(store, &settled, 3).await, RedeliveryGrant::NotRedeemable(_)));
}

pub async fn a_redelivery_is_ended_by_its_worker_only(place: &Place) {
    let store = &*place.first;
    let record = redeemable(store, 1).await;
    granted(begin(store, &record, 3).await);
    store.end_redelivery(record.id, &WorkerId("stranger".into()), true, NOW).await.unwrap();
    assert_eq!(begin(store, &record, 3).await, RedeliveryGrant::Busy);
    assert_eq!(store.find(record.id).await.unwrap().unwrap().redeliveries, 0);
}

fn reply(at: Timestamp) -> KeptReply {
    KeptReply {
        status: 200,
        headers: vec![("content-type".into(), Bytes::from_static(b"text/plain")), ("x-odd".into(), Bytes::from_static(b"\xff\x00"))],
        body: Bytes::from_static(b"\x00the goods"),
        at,
    }
}

pub async fn replies_are_kept_for_a_day(place: &Place) {
    let store = &*place.first;
    let record = settled(store, 1).await;
    assert_eq!(store.kept_reply(record.id, NOW).await.unwrap(), None);
    store.keep_reply(record.id, record.generation, reply(NOW)).await.unwrap();
    assert!(store.find(record.id).await.unwrap().unwrap().kept);
    assert_eq!(place.second.kept_reply(record.id, NOW.after(DAY - 1)).await.unwrap(), Some(reply(NOW)));
    assert_eq!(store.kept_reply(record.id, NOW.after(DAY)).await.unwrap(), None, "it is over even before it is dropped");
    assert_eq!(store.drop_old_replies(NOW.after(DAY - 1)).await.unwrap(), 0);
    assert_eq!(store.drop_old_replies(NOW.after(DAY)).await.unwrap(), 1);
    assert!(!store.find(record.id).await.unwrap().unwrap().kept);
}

pub async fn a_late_reply_is_not_kept(place: &Place) {
    let store = &*place.first;
    let failed = in_state(store, 1, State::Failed).await;
    store.keep_reply(failed.id, 1, reply(NOW)).await.unwrap();
    let again = claim(store, payment(1)).await;
    assert_eq!(store.kept_reply(again.id, NOW).await.unwrap(), None, "of the generation before");
    store.keep_reply(again.id, 1, reply(NOW)).await.unwrap();
    assert_eq!(store.kept_reply(again.id, NOW).await.unwrap(), None);
    store.keep_reply(again.id, 2, reply(NOW.after(1))).await.unwrap();
    assert_eq!(store.kept_reply(again.id, NOW).await.unwrap(), Some(reply(NOW.after(1))));
}

pub async fn the_first_body_digest_stands(place: &Place) {
    let store = &*place.first;
    let record = claim(store, payment(1)).await;
    let digest = async || store.find(record.id).await.unwrap().unwrap().body_digest;
    store.note_body(record.id, 9, B256::repeat_byte(9)).await.unwrap();
    assert_eq!(digest().await, None, "of another generation");
    store.note_body(record.id, 1, B256::repeat_byte(1)).await.unwrap();
    store.note_body(record.id, 1, B256::repeat_byte(2)).await.unwrap();
    assert_eq!(digest().await, Some(B256::repeat_byte(1)));
}
