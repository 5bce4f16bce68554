//! One claimer at a time, for one request only.

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::{future::join_all, poll};
use ledger::{Advance, Fault, NewRecord, State, Transition};
use x402::{Address, AssetId, B256, Network, U256};

use super::{Place, rows::*};

pub async fn a_new_key_is_claimed(place: &Place) {
    let new = payment(1);
    let record = claim(&*place.first, new.clone()).await;
    assert_eq!(record, new.clone().claimed(new.key.id(), 1));
    assert_eq!(record.state, State::Claimed);
    assert_eq!(place.second.find(record.id).await.unwrap(), Some(record), "what is answered is what stands");
    assert_eq!(place.first.find(payment(2).key.id()).await.unwrap(), None);
}

pub async fn a_claimed_key_is_refused_even_to_its_worker(place: &Place) {
    let record = claim(&*place.first, payment(1)).await;
    assert_eq!(refused(place.first.claim(payment(1)).await.unwrap()), record);
    assert_eq!(refused(place.second.claim(payment(1)).await.unwrap()), record);
}

pub async fn a_released_key_is_claimed_anew(place: &Place) {
    let store = &*place.first;
    let first = claim(store, payment(1)).await;
    store.note_body(first.id, 1, B256::repeat_byte(1)).await.unwrap();
    let released = done(step(store, &first, Transition::Release { reason: "origin_status".into() }).await);
    assert_eq!((released.state, released.reason.as_deref(), released.redelivering), (State::Released, Some("origin_status"), None));

    let again = NewRecord { amount: U256::from(5), claimed_block: 99, now: NOW.after(5), ..payment(1) };
    let second = claim(store, again.clone()).await;
    assert_eq!(second, again.claimed(first.id, 2), "nothing of the first claim is left");
    assert_eq!(store.find(first.id).await.unwrap(), Some(second));
}

pub async fn a_failed_key_is_claimed_anew_and_its_attempts_stay(place: &Place) {
    let store = &*place.first;
    let failed = in_state(store, 1, State::Failed).await;
    assert_eq!(failed.attempt, Some(own(1)));
    let second = claim(store, payment(1)).await;
    assert_eq!((second.generation, &second.attempt), (2, &None));
    assert_eq!(store.find(second.id).await.unwrap(), Some(second.clone()));
    assert_eq!(store.attempts(second.id).await.unwrap(), vec![own(1)], "what was sent once is never forgotten");
}

pub async fn another_request_never_takes_a_released_key(place: &Place) {
    let released = in_state(&*place.first, 1, State::Released).await;
    let failed = in_state(&*place.first, 2, State::Failed).await;
    for (n, standing) in [(1, released), (2, failed)] {
        let mut other_request = payment(n);
        other_request.binding.as_mut().unwrap().request = B256::repeat_byte(0xEE);
        let mut other_header = payment(n);
        other_header.binding.as_mut().unwrap().header = B256::repeat_byte(0xEE);
        let mut other_facts = payment(n);
        other_facts.binding.as_mut().unwrap().facts = B256::repeat_byte(0xEE);
        for other in [other_request, other_header, other_facts] {
            assert_eq!(refused(place.first.claim(other).await.unwrap()), standing);
        }
        // Under other conditions other facts are read: nobody can say that they differ.
        let mut reloaded = payment(n);
        let binding = reloaded.binding.as_mut().unwrap();
        (binding.facts, binding.conditions) = (B256::repeat_byte(0xEE), B256::repeat_byte(0xEF));
        let claimed = claim(&*place.first, reloaded.clone()).await;
        assert_eq!((claimed.generation, &claimed.binding), (standing.generation + 1, &reloaded.binding));
        assert_eq!(place.first.find(claimed.id).await.unwrap(), Some(claimed));
    }
}

pub async fn version_1_must_come_from_the_same_source(place: &Place) {
    let elsewhere: IpAddr = "2001:db8::1".parse().unwrap();
    for (n, version_1) in [(1, true), (2, false)] {
        let mut new = payment(n);
        new.binding.as_mut().unwrap().version_1 = version_1;
        let record = claim(&*place.first, new.clone()).await;
        step(&*place.first, &record, Transition::Release { reason: "r".into() }).await;
        new.binding.as_mut().unwrap().source = elsewhere;
        let answer = place.first.claim(new).await.unwrap();
        assert_eq!(matches!(answer, Advance::Refused(_)), version_1, "version 1 carries no secret");
    }
}

pub async fn bound_and_unbound_claims_do_not_mix(place: &Place) {
    let unbound = |n| NewRecord { binding: None, ..payment(n) };
    let release = |record| async move { step(&*place.first, &record, Transition::Release { reason: "r".into() }).await };
    let record = claim(&*place.first, unbound(1)).await;
    assert_eq!((&record.binding, &record.redelivering), (&None, &None));
    release(record).await;
    refused(place.first.claim(payment(1)).await.unwrap());
    assert_eq!(claim(&*place.first, unbound(1)).await.generation, 2);

    release(claim(&*place.first, payment(2)).await).await;
    refused(place.first.claim(unbound(2)).await.unwrap());
}

pub async fn what_may_have_been_sent_is_never_claimed_anew(place: &Place) {
    let states = [State::Submitted, State::Unknown, State::Settled, State::Reverted, State::Lost];
    for (n, state) in (1..).zip(states) {
        let record = in_state(&*place.first, n, state).await;
        assert_eq!(record.state, state);
        assert_eq!(refused(place.second.claim(payment(n)).await.unwrap()), record);
    }
}

pub async fn a_number_beyond_the_store_is_refused_and_harms_nobody(place: &Place) {
    let absurd = NewRecord { claimed_block: u64::MAX, ..payment(1) };
    assert_eq!(place.first.claim(absurd).await.unwrap_err().fault, Fault::Conflict);
    claim(&*place.first, payment(1)).await;
}

pub async fn an_asset_elsewhere_is_refused(place: &Place) {
    let asset = AssetId { network: Network::eip155(1), address: Address::repeat_byte(0xAB) };
    let stray = NewRecord { asset, ..payment(1) };
    assert_eq!(place.first.claim(stray).await.unwrap_err().fault, Fault::Conflict);
}

pub async fn the_largest_amounts_are_read_back(place: &Place) {
    let new = NewRecord { amount: U256::MAX, valid_after: U256::MAX, valid_before: U256::MAX, ..payment(1) };
    let record = claim(&*place.first, new).await;
    assert_eq!(place.second.find(record.id).await.unwrap(), Some(record));
}

pub async fn one_of_two_hundred_claims_wins(place: &Place) {
    let tasks = (0..200).map(|i| {
        let store = Arc::clone(if i % 2 == 0 { &place.first } else { &place.second });
        tokio::spawn(async move { store.claim(payment(1)).await.unwrap() })
    });
    let answers = join_all(tasks).await;
    let won = answers.iter().filter(|answer| matches!(answer, Ok(Advance::Done(_)))).count();
    let lost = answers.iter().filter(|answer| matches!(answer, Ok(Advance::Refused(_)))).count();
    assert_eq!((won, lost), (1, 199));
}

pub async fn an_abandoned_claim_is_given_back(place: &Place) {
    let mut n = 0;
    let id = loop {
        n += 1;
        let mut asked = place.first.claim(payment(n));
        // Where the answer came at once, there is nobody left to abandon it.
        if poll!(&mut asked).is_pending() {
            break payment(n).key.id();
        }
    };
    // The row is given back by the writer in its own time; there is nothing to wait for but the row.
    for _ in 0..1000 {
        match place.first.find(id).await.unwrap() {
            Some(record) if record.state == State::Released => return,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("the claim stands");
}
