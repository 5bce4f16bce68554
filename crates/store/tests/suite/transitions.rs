//! The way of money, row by row.

use std::sync::Arc;

use futures_util::future::join;
use ledger::{Account, Advance, Attempt, Entry, Fault, Ledger, Settlement, State, Transition, WorkerId};
use x402::{B256, Clock, Timestamp, U256};

use super::{Place, rows::*};

pub async fn a_payment_goes_its_way(place: &Place) {
    let store = &*place.first;
    let claimed = claim(store, payment(1)).await;
    let submitted = submit(store, &claimed, own(7)).await;
    assert_eq!((submitted.state, &submitted.attempt), (State::Submitted, &Some(own(7))));
    let unknown = done(step(store, &submitted, Transition::Unknown).await);
    assert_eq!((unknown.state, &unknown.attempt), (State::Unknown, &Some(own(7))));
    assert!(store.entries(claimed.id).await.unwrap().is_empty(), "nothing has moved yet");
    let settled = done(step(store, &unknown, Transition::Settle { settlement: evidence(1) }).await);
    assert_eq!((settled.state, &settled.settlement), (State::Settled, &Some(evidence(1))));
    assert_eq!(settled.transaction(), Some(evidence(1).transaction));
    assert_eq!(place.second.find(settled.id).await.unwrap(), Some(settled.clone()));
    let entry = Entry {
        payment: settled.id,
        debit: Account::Payer(settled.key.payer),
        credit: Account::Seller(settled.pay_to),
        asset: settled.asset.clone(),
        amount: U256::from(AMOUNT),
    };
    assert_eq!(place.second.entries(settled.id).await.unwrap(), vec![entry]);
}

/// Every transition there is, fit for the `n`th payment.
async fn every_transition(place: &Place, n: u64) -> Vec<Transition> {
    let lane = lane(&*place.first).await;
    let reason = || "r".to_owned();
    vec![
        Transition::Release { reason: reason() },
        Transition::Submit { attempt: own(n), lane: Some(lane.clone()) },
        Transition::Resubmit { attempt: own(n), lane: Some(lane) },
        Transition::Unknown,
        Transition::Settle { settlement: evidence(n) },
        Transition::Fail { reason: reason(), transaction: None },
        Transition::Revert,
        Transition::Lose { reason: reason() },
    ]
}

pub async fn only_the_states_before_it_let_a_transition_in(place: &Place) {
    let store = &*place.first;
    let mut n = 0;
    for state in State::ALL {
        for which in 0..8 {
            n += 1;
            let before = in_state(store, n, state).await;
            let transition = every_transition(place, n).await.swap_remove(which);
            let allowed = transition.from().contains(&state);
            let leads_to = transition.to();
            match step(store, &before, transition).await {
                Advance::Done(after) => assert!(allowed && after.state == leads_to, "{state:?} let {leads_to:?} in"),
                Advance::Refused(stands) => {
                    assert!(!allowed, "{state:?} refused {leads_to:?}");
                    assert_eq!(stands, before);
                    assert_eq!(store.find(before.id).await.unwrap(), Some(before), "a refusal writes nothing");
                }
            }
        }
    }
}

pub async fn a_late_generation_is_refused(place: &Place) {
    let store = &*place.first;
    let late = claim(store, payment(1)).await;
    step(store, &late, Transition::Release { reason: "r".into() }).await;
    let now = claim(store, payment(1)).await;
    assert_eq!(refused(step(store, &late, Transition::Release { reason: "late".into() }).await), now);
    let lane = Some(lane(store).await);
    assert_eq!(refused(step(store, &late, Transition::Submit { attempt: own(1), lane }).await), now);
    assert!(store.attempts(now.id).await.unwrap().is_empty());
}

pub async fn an_unknown_payment_conflicts(place: &Place) {
    let id = payment(1).key.id();
    let error = place.first.advance(id, 1, Transition::Unknown, NOW).await.unwrap_err();
    assert_eq!(error.fault, Fault::Conflict);
}

pub async fn a_log_is_evidence_for_one_payment_only(place: &Place) {
    let store = &*place.first;
    settled(store, 1).await;
    let second = in_state(store, 2, State::Submitted).await;
    let stolen = Transition::Settle { settlement: evidence(1) };
    let error = store.advance(second.id, second.generation, stolen, NOW).await.unwrap_err();
    assert_eq!(error.fault, Fault::Conflict);
    assert_eq!(store.find(second.id).await.unwrap(), Some(second.clone()), "nothing of it was written");
    assert!(store.entries(second.id).await.unwrap().is_empty());
    let neighbour = Settlement { log_index: Some(99), ..evidence(1) };
    done(step(store, &second, Transition::Settle { settlement: neighbour }).await);
}

pub async fn a_remote_word_needs_no_log(place: &Place) {
    let store = &*place.first;
    for n in [1, 2] {
        let record = claim(store, payment(n)).await;
        let attempt = Attempt::Remote { facilitator: "https://facilitator.example".into() };
        let submitted = done(step(store, &record, Transition::Submit { attempt: attempt.clone(), lane: None }).await);
        assert_eq!(submitted.attempt, Some(attempt));
        let settlement = Settlement { log_index: None, ..evidence(n) };
        assert_eq!(done(step(store, &submitted, Transition::Settle { settlement: settlement.clone() }).await).settlement, Some(settlement));
    }
}

pub async fn a_transaction_is_one_payments_attempt(place: &Place) {
    let store = &*place.first;
    in_state(store, 1, State::Submitted).await;
    let second = claim(store, payment(2)).await;
    let lane = Some(lane(store).await);
    let error = store.advance(second.id, 1, Transition::Submit { attempt: own(1), lane }, NOW).await.unwrap_err();
    assert_eq!(error.fault, Fault::Conflict);
    assert_eq!(store.find(second.id).await.unwrap(), Some(second));
}

pub async fn the_same_bytes_are_the_same_attempt(place: &Place) {
    let store = &*place.first;
    let reverted = in_state(store, 1, State::Reverted).await;
    let lane = Some(lane(store).await);
    let submitted = done(step(store, &reverted, Transition::Resubmit { attempt: own(1), lane }).await);
    assert_eq!((submitted.state, &submitted.attempt), (State::Submitted, &Some(own(1))));
    assert_eq!(store.attempts(submitted.id).await.unwrap(), vec![own(1)]);
}

pub async fn replacements_are_kept_beside_what_they_replace(place: &Place) {
    let store = &*place.first;
    let submitted = in_state(store, 1, State::Unknown).await;
    let dearer = own_bytes(1, 500);
    let lane = Some(lane(store).await);
    let replaced = done(step(store, &submitted, Transition::Resubmit { attempt: dearer.clone(), lane }).await);
    assert_eq!((replaced.state, &replaced.attempt), (State::Submitted, &Some(dearer.clone())));
    assert_eq!(store.attempts(replaced.id).await.unwrap(), vec![own(1), dearer]);
}

pub async fn a_reverted_settlement_is_taken_back_and_settles_again(place: &Place) {
    let store = &*place.first;
    let reverted = in_state(store, 1, State::Reverted).await;
    assert_eq!((reverted.state, &reverted.settlement), (State::Reverted, &None));
    for balance in store.balances().await.unwrap() {
        assert_eq!(balance.debit, balance.credit, "{} stands at nothing", balance.account);
    }
    let lane = Some(lane(store).await);
    let submitted = done(step(store, &reverted, Transition::Resubmit { attempt: own(1), lane }).await);
    // The same transaction in another block: the same log, evidence anew.
    let moved = Settlement { block_number: 30, ..evidence(1) };
    let settled = done(step(store, &submitted, Transition::Settle { settlement: moved.clone() }).await);
    assert_eq!(settled.settlement, Some(moved));
    assert_eq!(store.entries(settled.id).await.unwrap().len(), 3);
}

pub async fn a_reverted_settlement_can_be_lost(place: &Place) {
    let lost = in_state(&*place.first, 1, State::Lost).await;
    assert_eq!((lost.state, lost.reason.as_deref()), (State::Lost, Some("for a reason")));
}

pub async fn another_amount_settles_nothing(place: &Place) {
    let store = &*place.first;
    let submitted = in_state(store, 1, State::Submitted).await;
    for amount in [0, AMOUNT - 1, AMOUNT + 1] {
        let settlement = Settlement { amount: U256::from(amount), ..evidence(1) };
        let error = store.advance(submitted.id, 1, Transition::Settle { settlement }, NOW).await.unwrap_err();
        assert_eq!(error.fault, Fault::Conflict);
    }
    assert_eq!(store.find(submitted.id).await.unwrap(), Some(submitted));
}

pub async fn a_failed_transaction_is_noted(place: &Place) {
    let store = &*place.first;
    let claimed = claim(store, payment(1)).await;
    let attempt = Attempt::Remote { facilitator: "https://facilitator.example".into() };
    let submitted = done(step(store, &claimed, Transition::Submit { attempt: attempt.clone(), lane: None }).await);
    let transaction = B256::repeat_byte(0x77);
    let fail = Transition::Fail { reason: "invalid_transaction_state".into(), transaction: Some(transaction) };
    let failed = done(step(store, &submitted, fail).await);
    assert_eq!((failed.state, failed.transaction()), (State::Failed, Some(transaction)));
    assert_eq!(store.attempts(failed.id).await.unwrap(), vec![attempt, Attempt::Foreign { transaction }]);
}

pub async fn one_that_fails_leaves_its_neighbours_alone(place: &Place) {
    let store = &*place.first;
    let first = in_state(store, 1, State::Settled).await;
    let (second, third) = (in_state(store, 2, State::Submitted).await, in_state(store, 3, State::Submitted).await);
    let bad = store.advance(second.id, 1, Transition::Settle { settlement: evidence(1) }, NOW);
    let good = store.advance(third.id, 1, Transition::Settle { settlement: evidence(3) }, NOW);
    let (bad, good) = join(bad, good).await;
    assert_eq!(bad.unwrap_err().fault, Fault::Conflict);
    assert_eq!(done(good.unwrap()).state, State::Settled);
    assert_eq!(store.find(first.id).await.unwrap(), Some(first));
}

struct Still;
impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// An answer was lost, or another process was faster: the ledger takes the step that stands for its own, and no other.
pub async fn the_ledger_recognises_its_own_steps(place: &Place) {
    let ledger = Ledger::new(Arc::clone(&place.first), Arc::new(Still), WorkerId("another".into()));
    let submitted = in_state(&*place.second, 1, State::Submitted).await;
    let [mine] = ledger.unfinished().await.unwrap().try_into().expect("one");
    done(step(&*place.second, &submitted, Transition::Settle { settlement: evidence(1) }).await);
    let settled = ledger.settle(mine, Settlement { at: NOW.after(1), ..evidence(1) }).await.expect("it stands settled");
    assert_eq!(settled.settlement(), &evidence(1), "by the evidence that was booked");

    let submitted = in_state(&*place.second, 2, State::Submitted).await;
    let [mine] = ledger.unfinished().await.unwrap().try_into().expect("one");
    done(step(&*place.second, &submitted, Transition::Fail { reason: "r".into(), transaction: None }).await);
    let again = claim(&*place.second, payment(2)).await;
    let again = submit(&*place.second, &again, own(50)).await;
    done(step(&*place.second, &again, Transition::Settle { settlement: evidence(2) }).await);
    ledger.settle(mine, evidence(2)).await.expect_err("another generation's settlement is not ours");
}
