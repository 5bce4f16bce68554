//! Settling on a chain that lies, lags and forgets.

use std::{sync::Arc, time::Duration};

use alloy::consensus::Transaction;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use ledger::{Ledger, State};
use tokio::{runtime::Handle, sync::Notify};
use x402::{Authorization, ExactPayload, Network, Reason, Scheme, Terms, Timestamp};

use super::{
    rig::{Fixed, NOW, PAYEE, Rig, TOKEN, asset, settled_by, signer_key, start, until},
    scripted::receipt,
};
use crate::{
    Config, Facilitator, GasLimits, Outcome, Readiness, Refusal, SignerKey,
    chain::{AuthorizationCanceled, Broadcast, Refused, Simulation},
};

#[tokio::test]
async fn a_null_receipt_is_no_failure() {
    let rig = Rig::new().await;
    let (record, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    // The node has mined it and says null for a while: the nonce is used, and no log is told.
    rig.chain.say(|script| {
        script.row.nonce_used = true;
        script.height = 101;
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.state(&record).await, State::Submitted);
    rig.mine(hash, &record);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
}

#[tokio::test]
async fn facts_older_than_the_receipt_do_not_fail_a_payment() {
    let rig = Rig::new().await;
    let (record, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    let foreign = B256::repeat_byte(0xf0);
    // Ours reverted, because a stranger's came first; this node's state and logs are a block behind.
    rig.chain.say(|script| {
        let mut ours = receipt(hash, TOKEN, record.key.payer, record.key.nonce, PAYEE, record.amount);
        ours.succeeded = false;
        ours.logs.clear();
        script.receipts.insert(hash, ours);
        script.height = 101;
        script.facts_at = Some(100);
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.state(&record).await, State::Submitted);
    rig.mine(foreign, &record);
    rig.chain.say(|script| script.facts_at = None);
    assert_eq!(settled_by(settling.await.unwrap()), foreign);
}

#[tokio::test]
async fn a_strangers_transaction_before_the_claim_does_not_count() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    let record = claimed.record().clone();
    let old = B256::repeat_byte(0xf0);
    rig.mine(old, &record);
    rig.chain.say(|script| {
        script.receipts.get_mut(&old).unwrap().block_number = record.claimed_block;
        script.simulation = crate::chain::Simulation::Reverts { why: "used".into() };
    });
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Released);
    assert!(rig.chain.nonces().is_empty());
}

#[tokio::test]
async fn a_cancellation_before_sending_is_refused_for_good() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    rig.chain.say(|script| {
        script.row.nonce_used = true;
        script.logs.insert(AuthorizationCanceled::SIGNATURE_HASH, vec![B256::repeat_byte(0xf0)]);
        script.simulation = crate::chain::Simulation::Reverts { why: "used".into() };
    });
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::AuthorizationUsed, .. }), "{outcome:?}");
}

#[tokio::test]
async fn one_log_settles_one_payment() {
    let rig = Rig::new().await;
    let (first, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    rig.mine(hash, &first);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
    // A second payment whose receipt holds the same transfer, in the same transaction, at the same place.
    rig.chain.say(|script| script.row.nonce_used = false);
    let (second, settling) = rig.settling(2).await;
    until("sent", async || rig.chain.nonces().len() == 2).await;
    let own = rig.chain.say(|script| *script.sent[1].tx_hash());
    rig.chain.say(|script| {
        let mut twin = receipt(hash, TOKEN, second.key.payer, second.key.nonce, PAYEE, second.amount);
        twin.transaction = hash;
        script.receipts.insert(own, twin);
        script.row.nonce_used = true;
    });
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::TransactionState, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_refused_nonce_below_others_is_filled() {
    let rig = Rig::new().await;
    let hold = Arc::new(Notify::new());
    *rig.chain.hold_first.lock().unwrap() = Some(Arc::clone(&hold));
    let refusal = Broadcast::Refused(Refused::Other { why: "underpriced".into() });
    rig.chain.say(|script| drop(script.broadcasts.insert(0, vec![refusal])));
    let (_, first) = rig.settling(1).await;
    until("the first has its nonce", async || rig.ledger.unfinished().await.unwrap().len() == 1).await;
    let (second, _settling) = rig.settling(2).await;
    until("the second is sent", async || rig.chain.nonces() == [1]).await;
    *rig.chain.hold_first.lock().unwrap() = None;
    hold.notify_one();
    let outcome = first.await.unwrap();
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    until("the gap is filled", async || rig.chain.nonces() == [1, 0]).await;
    let filler = rig.chain.say(|script| script.sent[1].clone());
    assert_eq!((filler.to(), filler.value()), (Some(signer_key().address()), U256::ZERO));
    assert_eq!(rig.state(&second).await, State::Submitted);
}

#[tokio::test]
async fn a_nonce_that_is_used_by_ourselves_is_watched() {
    let rig = Rig::new().await;
    let low = Broadcast::Refused(Refused::NonceUsed { why: "nonce too low".into() });
    rig.chain.say(|script| drop(script.broadcasts.insert(0, vec![low])));
    let (record, settling) = rig.settling(1).await;
    // The node knows the very transaction it calls too low: it was mined.
    until("written", async || rig.state(&record).await == State::Submitted).await;
    let hash = rig.ledger.recall(record.id).await.unwrap().unwrap().transaction().unwrap();
    rig.mine(hash, &record);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
}

#[tokio::test]
async fn a_signer_is_one_processs_at_a_time() {
    let rig = Rig::new().await;
    let worker = rig.ledger.store().enter_worker(Timestamp(NOW)).await.unwrap();
    let other = Ledger::new(Arc::clone(rig.ledger.store()), Arc::new(Fixed), worker);
    let second = start(&rig.config, &rig.chain, &other);
    until(
        "the second waits",
        async || matches!(second.readiness(&Network::eip155(1)), Readiness::NotReady { why } if why.contains("is held by process")),
    )
    .await;
    rig.facilitator.shutdown().await;
    until("the second takes over", async || second.readiness(&Network::eip155(1)).is_ready()).await;
}

#[tokio::test]
async fn a_lost_lane_sends_nothing() {
    let rig = Rig::new().await;
    // Behind our back the lane is given to a newer epoch.
    let worker = rig.ledger.worker();
    drop(rig.ledger.store().hold_lane(&Network::eip155(1), signer_key().address(), worker, Timestamp(NOW)).await.unwrap());
    let claimed = rig.claim(1).await;
    let record = claimed.record().clone();
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(&outcome, Outcome::Unavailable { why, .. } if why.contains("lane")), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Released);
    assert!(rig.chain.nonces().is_empty());
}

#[tokio::test]
async fn a_chain_that_is_down_is_no_refusal_of_the_payer() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    rig.chain.say(|script| script.down = true);
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(&outcome, Outcome::Unavailable { record: Some(record), .. } if record.state == State::Released), "{outcome:?}");
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused() {
    let rig = Rig::new().await;
    let refused = |change: fn(&mut Config)| {
        let mut config = rig.config.clone();
        change(&mut config);
        Facilitator::start(config, rig.ledger.clone(), Handle::current()).err().unwrap().to_string()
    };
    assert!(refused(|_| {}).contains("no RPC endpoint"));
    assert!(refused(|config| config.networks[0].rpc = vec!["ftp://x".into()]).contains("ftp://x"));
    assert!(refused(|config| config.networks[0].network = Network::parse("solana:x").unwrap()).contains("eip155"));
    assert!(refused(|config| config.networks.push(config.networks[0].clone())).contains("twice"));
    let no_signer = |config: &mut Config| {
        config.networks[0].rpc = vec!["http://127.0.0.1:1".into()];
        config.networks[0].signers.clear();
    };
    assert!(refused(no_signer).contains("no signer"));
    assert!("0x12".parse::<SignerKey>().is_err());
    assert!(!format!("{:?}", signer_key()).contains("0707"));
}

#[tokio::test]
async fn an_authorization_is_verified_on_its_own_network_only() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    let payment = {
        let record = claimed.record();
        let authorization = Authorization {
            from: record.key.payer,
            to: record.pay_to,
            value: record.amount,
            valid_after: record.valid_after,
            valid_before: record.valid_before,
            nonce: record.key.nonce,
        };
        let payload = ExactPayload { signature: record.signature.clone().into(), authorization };
        rig.facilitator.authenticate(&payload, &asset().id).unwrap()
    };
    let mut terms = Terms { scheme: Scheme::Exact, asset: asset().id, pay_to: PAYEE, amount: U256::from(10_000), max_timeout_seconds: 60 };
    terms.asset.address = Address::repeat_byte(0x33);
    assert_eq!(rig.facilitator.verify(payment, terms, 5).await.unwrap_err(), Refusal::Invalid(Reason::Requirements));
}

#[tokio::test]
async fn a_suspended_token_is_said_to_be() {
    let rig = Rig::new().await;
    let (record, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    // Success, and nothing happened.
    rig.chain.say(|script| {
        let mut ours = receipt(hash, TOKEN, record.key.payer, record.key.nonce, PAYEE, record.amount);
        ours.logs.clear();
        script.receipts.insert(hash, ours);
        script.height = 101;
    });
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::TransactionState, .. }), "{outcome:?}");
    // It is the network's only asset.
    let network = Network::eip155(1);
    until(
        "it is said",
        async || matches!(rig.facilitator.readiness(&network), Readiness::NotReady { why } if why.contains("suspended until the next start")),
    )
    .await;
}

#[tokio::test]
async fn a_transaction_never_offers_more_than_the_cap() {
    // Twice the base fee and the tip are 201.
    let rig = Rig::with(|config| config.networks[0].gas.fee_cap = 150).await;
    let _settling = rig.settling(1).await;
    rig.chain.sent().await;
    assert_eq!(rig.chain.say(|script| script.sent[0].max_fee_per_gas()), 150);
}

#[tokio::test]
async fn a_call_that_needs_more_gas_than_the_limit_is_not_sent() {
    let rig = Rig::new().await;
    rig.chain.say(|script| script.simulation = Simulation::Succeeds { gas: GasLimits::default().plain + 1 });
    let (record, settling) = rig.settling(1).await;
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::TransactionState, .. }), "{outcome:?}");
    assert!(rig.ledger.store().attempts(record.id).await.unwrap().is_empty());
}
