//! The lane goes on, whatever a node says and whatever becomes of a payment.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use alloy::consensus::Transaction;
use alloy_primitives::{B256, U256};
use ledger::{Record, State, Store};
use tokio::sync::Notify;

use super::{
    faulty::Faulty,
    rig::{NOW, Rig, memory, settled_by, signer_key, until},
};
use crate::{
    Outcome, Readiness,
    chain::{Broadcast, Refused},
};

async fn rig() -> Rig {
    Rig::with(|config| config.settle_within = Duration::from_millis(100)).await
}

/// A payment of account nonce 0 whose bytes no node has.
async fn unsent(rig: &Rig) -> Record {
    rig.chain.say(|script| (script.deaf, script.known) = (true, false));
    let (record, settling) = rig.settling(1).await;
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Pending { .. }), "{outcome:?}");
    record
}

/// The nonce 0 is taken by an empty transfer of the signer to itself.
async fn filled(rig: &Rig) {
    until("the gap is filled", async || rig.chain.nonces().contains(&0)).await;
    let filler = rig.chain.say(|script| script.sent.clone()).into_iter().find(|sent| sent.nonce() == 0).unwrap();
    assert_eq!((filler.to(), filler.value(), filler.input().len()), (Some(signer_key().address()), U256::ZERO, 0));
}

#[tokio::test]
async fn an_untrue_nonce_too_low_is_no_end() {
    let rig = Rig::new().await;
    let low = Broadcast::Refused(Refused::NonceUsed { why: "nonce too low".into() });
    rig.chain.say(|script| {
        script.broadcasts.insert(0, vec![low]);
        script.known = false;
    });
    let (record, settling) = rig.settling(1).await;
    // Nobody has mined it: the same bytes are sent again.
    let hash = rig.chain.sent().await;
    assert_eq!(rig.ledger.recall(record.id).await.unwrap().unwrap().transaction(), Some(hash));
    assert_eq!(rig.state(&record).await, State::Submitted);
    rig.mine(hash, &record);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
}

#[tokio::test]
async fn a_nonce_used_by_another_is_given_up() {
    let rig = Rig::new().await;
    let low = Broadcast::Refused(Refused::NonceUsed { why: "nonce too low".into() });
    rig.chain.say(|script| {
        script.broadcasts.insert(0, vec![low]);
        script.known = false;
    });
    let hold = Arc::new(Notify::new());
    *rig.chain.hold_first.lock().unwrap() = Some(Arc::clone(&hold));
    let (record, settling) = rig.settling(1).await;
    until("it has its nonce", async || rig.state(&record).await == State::Submitted).await;
    rig.chain.say(|script| script.mined = 3);
    hold.notify_one();
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Failed);
    let _next = rig.settling(2).await;
    until("the next is sent", async || rig.chain.nonces() == [3]).await;
}

#[tokio::test]
async fn an_expired_payment_leaves_no_gap() {
    let rig = rig().await;
    let record = unsent(&rig).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    rig.chain.say(|script| script.deaf = false);
    // While it is open, its nonce is its own: only its bytes are sent.
    until("it is sent", async || !rig.chain.nonces().is_empty()).await;
    let sent = rig.chain.say(|script| script.sent.iter().map(|sent| *sent.tx_hash()).collect::<Vec<_>>());
    let own = rig.ledger.recall(record.id).await.unwrap().unwrap().transaction().unwrap();
    assert!(sent.iter().all(|hash| *hash == own), "{sent:?}");
    rig.chain.say(|script| {
        script.timestamp = NOW + 200;
        script.sent.clear();
        script.known = true;
    });
    until("it has failed", async || rig.state(&record).await == State::Failed).await;
    filled(&rig).await;
}

#[tokio::test]
async fn a_payment_settled_by_a_stranger_leaves_no_gap() {
    let rig = rig().await;
    let record = unsent(&rig).await;
    rig.mine(B256::repeat_byte(0xf0), &record);
    until("the stranger's counts", async || rig.state(&record).await == State::Settled).await;
    rig.chain.say(|script| script.deaf = false);
    filled(&rig).await;
}

#[tokio::test]
async fn a_filler_is_written_before_it_is_sent() {
    let store = Faulty::new(memory(), State::Lost, 0, 1);
    let rig = Rig::on(Arc::clone(&store) as Arc<dyn Store>, |config| config.settle_within = Duration::from_millis(100)).await;
    let record = unsent(&rig).await;
    rig.mine(B256::repeat_byte(0xf0), &record);
    until("the stranger's counts", async || rig.state(&record).await == State::Settled).await;
    rig.chain.say(|script| script.deaf = false);
    until("the store has failed", async || store.failed.load(Ordering::SeqCst) == 1).await;
    assert_eq!(rig.chain.nonces(), [0_u64; 0]);
    filled(&rig).await;
}

#[tokio::test]
async fn a_settlement_that_cannot_be_booked_is_booked_later() {
    let store = Faulty::new(memory(), State::Settled, 2, 0);
    let rig = Rig::on(Arc::clone(&store) as Arc<dyn Store>, |_| {}).await;
    let (record, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    rig.mine(hash, &record);
    // The money moved and the books do not say so: nobody may call it settled, nor failed.
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Pending { .. }), "{outcome:?}");
    until("it is booked", async || rig.state(&record).await == State::Settled).await;
    assert_eq!(store.failed.load(Ordering::SeqCst), 2);
    let now = rig.ledger.recall(record.id).await.unwrap().unwrap();
    assert_eq!(now.settlement.unwrap().transaction, hash);
}

#[tokio::test]
async fn a_release_that_fails_is_tried_again() {
    let store = Faulty::new(memory(), State::Released, 2, 0);
    let rig = Rig::on(Arc::clone(&store) as Arc<dyn Store>, |_| {}).await;
    let claimed = rig.claim(1).await;
    let record = claimed.record().clone();
    rig.chain.say(|script| script.down = true);
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(outcome, Outcome::Unavailable { record: None, .. }), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Claimed);
    until("it is released", async || rig.state(&record).await == State::Released).await;
    assert_eq!(store.failed.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn bytes_that_cannot_be_written_are_not_sent() {
    let store = Faulty::new(memory(), State::Submitted, 1, 0);
    let rig = Rig::on(Arc::clone(&store) as Arc<dyn Store>, |_| {}).await;
    let (record, settling) = rig.settling(1).await;
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Released);
    assert!(rig.chain.nonces().is_empty());
    // Its account nonce is the next one's.
    let _next = rig.settling(2).await;
    until("the next is sent", async || rig.chain.nonces() == [0]).await;
}

#[tokio::test]
async fn a_signer_without_gas_releases_before_anything_is_written() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    let record = claimed.record().clone();
    rig.chain.say(|script| script.balance = U256::ZERO);
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Released);
    assert!(rig.ledger.store().attempts(record.id).await.unwrap().is_empty());
    until(
        "the offers stop",
        async || matches!(rig.facilitator.readiness(&record.key.network), Readiness::NotReady { why } if why.contains("gas")),
    )
    .await;
    rig.chain.say(|script| script.balance = U256::MAX);
    rig.ready().await;
}

#[tokio::test]
async fn a_signer_that_the_node_calls_dry_stops_the_offers() {
    let rig = Rig::new().await;
    let funds = Broadcast::Refused(Refused::Funds { why: "insufficient funds".into() });
    rig.chain.say(|script| drop(script.broadcasts.insert(0, vec![funds])));
    let (record, settling) = rig.settling(1).await;
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    assert!(!rig.facilitator.readiness(&record.key.network).is_ready());
    rig.chain.say(|script| script.balance = U256::MAX);
    rig.ready().await;
    let _next = rig.settling(2).await;
    until("the next has its nonce", async || rig.chain.nonces() == [0]).await;
}
