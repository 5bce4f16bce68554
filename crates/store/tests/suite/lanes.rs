//! Lanes: one holder, fenced by epochs.

use ledger::{Attempt, Fault, LaneLease, LaneOutcome, State, Store, Transition, WorkerId};
use x402::{Address, B256, Network, Timestamp};

use super::{Place, rows::*};

async fn hold(store: &dyn Store, worker: &WorkerId, now: Timestamp) -> LaneOutcome {
    store.hold_lane(&network(), signer(), worker, now).await.unwrap()
}

fn held(outcome: LaneOutcome) -> LaneLease {
    match outcome {
        LaneOutcome::Held(lease) => lease,
        LaneOutcome::Busy(worker) => panic!("the lane is {worker}'s"),
    }
}

pub async fn a_lane_has_one_holder(place: &Place) {
    let (a, b) = (place.first.enter_worker(NOW).await.unwrap(), place.second.enter_worker(NOW).await.unwrap());
    let lease = held(hold(&*place.first, &a, NOW).await);
    assert_eq!((lease.epoch, lease.next_nonce, &lease.worker), (1, 0, &a));
    assert_eq!(hold(&*place.second, &b, NOW).await, LaneOutcome::Busy(a.clone()));
    let again = held(hold(&*place.first, &a, NOW).await);
    assert_eq!(again.epoch, 2, "ours again, under a new epoch");
    place.first.leave_lane(&lease).await.unwrap();
    assert_eq!(hold(&*place.second, &b, NOW).await, LaneOutcome::Busy(a.clone()), "an old lease gives nothing back");
    place.first.leave_lane(&again).await.unwrap();
    assert_eq!(held(hold(&*place.second, &b, NOW).await).epoch, 3);

    let elsewhere = place.first.hold_lane(&Network::eip155(1), signer(), &a, NOW).await.unwrap();
    let another = place.first.hold_lane(&network(), Address::repeat_byte(0x52), &a, NOW).await.unwrap();
    assert_eq!((held(elsewhere).epoch, held(another).epoch), (1, 1));
}

pub async fn a_lane_of_the_gone_is_taken(place: &Place) {
    let gone = worker(); // it has never entered
    let lease = held(hold(&*place.first, &gone, NOW).await);
    let heir = place.second.enter_worker(NOW).await.unwrap();
    assert_eq!(held(hold(&*place.second, &heir, NOW).await).epoch, lease.epoch + 1);
}

pub async fn an_older_epoch_writes_nothing(place: &Place) {
    let store = &*place.first;
    let old = lane(store).await;
    let new = lane(store).await;
    let record = claim(store, payment(1)).await;
    let submit = |lane: &LaneLease| Transition::Submit { attempt: own(4), lane: Some(lane.clone()) };
    assert_eq!(refused(step(store, &record, submit(&old)).await), record);
    let usurper = LaneLease { worker: WorkerId("usurper".into()), ..new.clone() };
    assert_eq!(refused(step(store, &record, submit(&usurper)).await), record);
    assert!(store.attempts(record.id).await.unwrap().is_empty());
    assert_eq!(lane(store).await.next_nonce, 0, "nothing was given out");
    let newest = lane(store).await;
    done(step(store, &record, submit(&newest)).await);
}

pub async fn our_own_bytes_need_a_lease(place: &Place) {
    let store = &*place.first;
    let record = claim(store, payment(1)).await;
    let bare = Transition::Submit { attempt: own(1), lane: None };
    let others = Transition::Submit { attempt: own(1), lane: Some(LaneLease { signer: Address::ZERO, ..lane(store).await }) };
    for unsound in [bare, others] {
        assert_eq!(store.advance(record.id, 1, unsound, NOW).await.unwrap_err().fault, Fault::Conflict);
    }
    assert_eq!(store.find(record.id).await.unwrap(), Some(record));
}

pub async fn account_nonces_only_grow(place: &Place) {
    let store = &*place.first;
    for (n, nonce, next) in [(1, 5, 6), (2, 3, 6), (3, 6, 7)] {
        let record = claim(store, payment(n)).await;
        submit(store, &record, own(nonce)).await;
        assert_eq!(lane(&*place.second).await.next_nonce, next);
    }
}

pub async fn a_filler_takes_no_open_payments_nonce(place: &Place) {
    let store = &*place.first;
    for (n, state) in (1..).zip(State::ALL) {
        let record = in_state(store, n, state).await;
        let attempts = store.attempts(record.id).await.unwrap();
        let Some(Attempt::Own { account_nonce, .. }) = attempts.last() else { continue };
        let ended = state.is_final();
        let lease = lane(store).await;
        assert_eq!(store.note_filler(&lease, &own_bytes(*account_nonce, n + 500), NOW).await.unwrap(), ended, "{state:?}");
        // The same bytes again are the same filler.
        assert_eq!(store.note_filler(&lease, &own_bytes(*account_nonce, n + 500), NOW).await.unwrap(), ended, "{state:?}");
    }
}

pub async fn a_filler_needs_the_lease(place: &Place) {
    let store = &*place.first;
    let old = lane(store).await;
    let new = lane(store).await;
    assert!(!store.note_filler(&old, &own(4), NOW).await.unwrap());
    assert_eq!(lane(store).await.next_nonce, 0, "nothing was given out");
    assert!(!store.note_filler(&new, &own(4), NOW).await.unwrap());
    let newest = lane(store).await;
    assert!(store.note_filler(&newest, &own(4), NOW).await.unwrap());
    assert_eq!(lane(store).await.next_nonce, 5);
    let others = LaneLease { signer: Address::ZERO, ..newest.clone() };
    assert_eq!(store.note_filler(&others, &own(4), NOW).await.unwrap_err().fault, Fault::Conflict);
    let foreign = Attempt::Foreign { transaction: B256::ZERO };
    assert_eq!(store.note_filler(&newest, &foreign, NOW).await.unwrap_err().fault, Fault::Conflict);
}
