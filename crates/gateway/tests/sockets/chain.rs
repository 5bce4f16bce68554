//! Rows of the table that only a chain can show, on the devnet with our own facilitator.

use std::time::Duration;

use alloy_primitives::U256;
use devnet::{Config, Devnet, Faults, Outage};
use ledger::State;

use crate::support::{
    Buyer, World,
    world::{PAY_TO, receipt},
};

fn devnet() -> Devnet {
    Devnet::start(Config::default()).unwrap()
}

#[tokio::test]
async fn the_money_moves_and_the_receipt_has_its_transaction() {
    let devnet = devnet();
    let world = World::on(&devnet, Duration::from_secs(20)).await;
    world.ready().await;
    for path in ["/paid/a", "/first/a"] {
        let before = devnet.token_balance(PAY_TO.parse().unwrap()).unwrap();
        let (payment, reply) = world.paid(path).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "hello"), "{path}");
        assert!(devnet.receipt(receipt(&reply).transaction.parse().unwrap()).is_some());
        assert_eq!(devnet.token_balance(PAY_TO.parse().unwrap()).unwrap() - before, U256::from(10_000));
        world.until(World::id(&payment), |record| record.delivered).await;
    }
}

#[tokio::test]
async fn an_empty_wallet_is_told_so() {
    let devnet = devnet();
    let mut world = World::on(&devnet, Duration::from_secs(20)).await;
    world.ready().await;
    world.buyer = Buyer::new(77);
    let (_, reply) = world.paid("/paid/a").await;
    assert_eq!((reply.status, receipt(&reply).error_reason.as_deref()), (402, Some("insufficient_funds")));
    assert_eq!(world.origin.hits(), 0);
}

/// A6: what was sent and not mined is pending with its hash, never failed, never a fresh offer; then the kept reply.
#[tokio::test]
async fn what_is_not_mined_in_time_is_pending_with_its_hash() {
    let devnet = devnet();
    let world = World::on(&devnet, Duration::from_millis(700)).await;
    world.ready().await;
    devnet.set_automine(false);
    let (payment, reply) = world.paid("/paid/a").await;
    assert_eq!((reply.status, reply.error().as_str()), (503, "settlement_pending"));
    assert!(reply.header("retry-after").is_some() && reply.header("payment-required").is_none());
    let hash = receipt(&reply).transaction;
    let id = World::id(&payment);
    let status = world.get(&format!("/.well-known/x402/payments/{id}"), &[]).await.json();
    assert_eq!((status["state"].as_str(), status["transaction"].as_str()), (Some("pending"), Some(hash.as_str())));
    let again = world.get("/paid/a", &[&payment]).await;
    assert_eq!((again.status, receipt(&again).transaction.as_str()), (503, hash.as_str()));
    world.until(id, |record| record.kept).await;
    devnet.set_automine(true);
    world.until(id, |record| record.state == State::Settled).await;
    let kept = world.get("/paid/a", &[&payment]).await;
    assert_eq!((kept.status, kept.text().as_str(), receipt(&kept).transaction.as_str()), (200, "hello", hash.as_str()));
    assert_eq!(world.origin.hits(), 1);
}

/// Free paths and offers need no chain; payments wait for it.
#[tokio::test]
async fn a_network_that_is_not_ready_takes_no_payment() {
    let devnet = devnet();
    devnet.set_faults(Faults { node_down: Some(Outage::Status500), ..Faults::default() });
    let world = World::on(&devnet, Duration::from_secs(20)).await;
    assert_eq!(world.get("/free", &[]).await.status, 200);
    let payment = world.payment("/paid/a").await;
    let reply = world.get("/paid/a", &[&payment]).await;
    assert_eq!((reply.status, reply.error().as_str()), (503, "network_not_ready"));
    assert!(reply.header("retry-after").is_some() && reply.header("payment-required").is_none());
    assert_eq!(world.origin.hits(), 1);
    devnet.set_faults(Faults::default());
    world.ready().await;
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 200);
}

/// The chain goes away between the claim and the settlement: nothing was sent, so nothing is charged.
#[tokio::test]
async fn a_chain_that_goes_away_releases() {
    let devnet = devnet();
    let world = World::on(&devnet, Duration::from_secs(20)).await;
    world.ready().await;
    let payment = world.payment("/paid/a").await;
    devnet.set_faults(Faults {
        fail: [("eth_sendRawTransaction".to_owned(), "no".to_owned()), ("eth_call".to_owned(), "no".to_owned())].into(),
        ..Faults::default()
    });
    let reply = world.get("/paid/a", &[&payment]).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.header("payment-required").is_none());
    devnet.set_faults(Faults::default());
    for _ in 0..200 {
        let reply = world.get("/paid/a", &[&payment]).await;
        if reply.status == 200 {
            return;
        }
        assert!(matches!(reply.status, 409 | 503), "{} {}", reply.status, reply.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never served");
}
