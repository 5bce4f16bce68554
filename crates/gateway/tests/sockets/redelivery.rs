//! Paid and not delivered, kept, pending: who gets it again, and who does not (DESIGN §3).

use std::time::Duration;

use ledger::State;

use crate::support::{
    Wire, World,
    facilitator::Says,
    world::{charge, market, receipt, request, rules},
};

#[tokio::test]
async fn an_unknown_settlement_is_pending_and_then_kept() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    world.facilitator.settle(Says::Nothing);
    for _ in 0..2 {
        let reply = world.get("/paid/a", &[&payment]).await;
        assert_eq!((reply.status, reply.error().as_str()), (503, "settlement_pending"));
        assert_eq!(receipt(&reply).error_reason.as_deref(), Some("settlement_pending"));
        assert!(reply.header("retry-after").is_some() && reply.header("payment-required").is_none());
        assert_eq!(reply.json()["payment"], World::id(&payment).to_string());
    }
    let id = World::id(&payment);
    world.until(id, |record| record.kept).await;
    let open = world.ledger.unfinished().await.unwrap().pop().unwrap();
    let settlement = ledger::Settlement {
        transaction: x402::B256::repeat_byte(7),
        block_number: 1,
        block_hash: x402::B256::ZERO,
        log_index: None,
        amount: open.record().amount,
        at: world.ledger.now(),
    };
    assert!(world.ledger.settle(open, settlement).await.is_ok());
    let kept = world.get("/paid/a", &[&payment]).await;
    assert_eq!((kept.status, kept.text().as_str(), receipt(&kept).success), (200, "hello", true));
    assert_eq!(kept.header("content-type"), Some("text/plain"));
    world.until(id, |record| record.delivered).await;
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 200, "kept for 24 h");
    assert_eq!(world.origin.hits(), 1);
    world.clock.pass(86_401);
    assert_eq!(world.get("/paid/a", &[&payment]).await.error(), "already_delivered");
}

/// Larger than `keep`: not stored; the origin is asked again once it has settled.
#[tokio::test]
async fn a_pending_reply_that_is_too_large_is_fetched_again() {
    let world = World::with(vec![rules::RuleSpec { keep: 3, ..charge("paid", "/paid") }], |_| {}).await;
    let payment = world.payment("/paid/a").await;
    world.facilitator.settle(Says::Nothing);
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 503);
    settle_open(&world).await;
    let again = world.get("/paid/a", &[&payment]).await;
    assert_eq!((again.status, again.text().as_str(), world.origin.hits()), (200, "hello", 2));
}

/// Settled, and nobody is delivering it.
pub async fn redeemable(world: &World, payment: &str) {
    let record = world.until(World::id(payment), |record| record.state == State::Settled && record.redelivering.is_none()).await;
    assert!(!record.delivered);
}

async fn settle_open(world: &World) {
    let open = world.ledger.unfinished().await.unwrap().pop().unwrap();
    let (amount, at) = (open.record().amount, world.ledger.now());
    let settlement = ledger::Settlement {
        transaction: x402::B256::repeat_byte(7),
        block_number: 1,
        block_hash: x402::B256::ZERO,
        log_index: None,
        amount,
        at,
    };
    let id = open.id();
    assert!(world.ledger.settle(open, settlement).await.is_ok());
    world.until(id, |record| record.redelivering.is_none()).await;
}

#[tokio::test]
async fn settled_and_not_served_is_redeemable() {
    let world = World::start().await;
    let (payment, reply) = world.paid("/first/500").await;
    assert_eq!((reply.status, receipt(&reply).success), (500, true));
    // An origin outside the charged statuses does not use up redeliveries.
    for _ in 0..5 {
        let again = world.get("/first/500", &[&payment]).await;
        assert_eq!((again.status, receipt(&again).success), (500, true));
    }
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (6, 1));
}

#[tokio::test]
async fn a_truncated_answer_is_fetched_again_three_times() {
    let world = World::start().await;
    let (payment, reply) = world.paid("/paid/truncated").await;
    assert_eq!((reply.status, reply.whole), (200, false));
    let id = World::id(&payment);
    redeemable(&world, &payment).await;
    for redelivery in 1..=3 {
        let again = world.get("/paid/truncated", &[&payment]).await;
        assert_eq!((again.status, again.whole, receipt(&again).success), (200, false, true), "{redelivery}");
        world.until(id, |record| record.redelivering.is_none() && record.redeliveries == redelivery).await;
    }
    let exhausted = world.get("/paid/truncated", &[&payment]).await;
    assert_eq!((exhausted.status, exhausted.error().as_str()), (409, "delivery_exhausted"));
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (4, 1));
    assert!(!world.until(id, |_| true).await.delivered);
}

#[tokio::test]
async fn a_redelivery_ends_with_its_day() {
    let world = World::start().await;
    let (payment, _) = world.paid("/paid/truncated").await;
    redeemable(&world, &payment).await;
    world.clock.pass(86_401);
    assert_eq!(world.get("/paid/truncated", &[&payment]).await.error(), "delivery_exhausted");
}

/// New rules read other facts; what was paid under the old ones is still owed.
#[tokio::test]
async fn a_reload_takes_nothing_from_who_has_paid() {
    let world = World::start().await;
    let (payment, reply) = world.paid("/paid/truncated").await;
    assert!(!reply.whole);
    redeemable(&world, &payment).await;
    let pending = world.payment("/paid/a").await;
    world.facilitator.settle(Says::Nothing);
    assert_eq!(world.get("/paid/a", &[&pending]).await.error(), "settlement_pending");
    let crawlers = rules::RuleSpec { when: Some("http.user_agent contains \"bot\"".to_owned()), ..charge("crawlers", "/") };
    let set = rules::RuleSet::build([vec![crawlers], rules()].concat(), market(rules::Unmatched::Pass)).unwrap();
    world.gateway.reload(world.config.clone(), set).unwrap();
    let again = world.get("/paid/truncated", &[&payment]).await;
    assert_eq!((again.status, receipt(&again).success), (200, true));
    assert_eq!(world.get("/paid/a", &[&pending]).await.error(), "settlement_pending");
    assert_eq!(world.get("/paid/b", &[&payment]).await.error(), "payment_mismatch");
}

/// The client leaves after the settlement: nothing is delivered, the payment stays redeemable.
#[tokio::test]
async fn a_client_that_left_mid_way_can_come_back() {
    let world = World::start().await;
    let payment = world.payment("/paid/big").await;
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/paid/big", &[&payment], b"")).await;
    assert_eq!(wire.head().await.status, 200);
    drop(wire);
    redeemable(&world, &payment).await;
    let again = world.get("/paid/big", &[&payment]).await;
    assert_eq!((again.status, again.body.len(), again.whole), (200, 64 << 20, true));
    world.until(World::id(&payment), |record| record.delivered).await;
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (2, 1));
}

/// The client leaves before the settlement: the work ends without it.
#[tokio::test]
async fn a_disconnect_cancels_no_money() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    world.facilitator.settle_slowly(Duration::from_millis(200));
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/paid/a", &[&payment], b"")).await;
    world.origin.wait_for(1).await;
    drop(wire);
    redeemable(&world, &payment).await;
    let again = world.get("/paid/a", &[&payment]).await;
    assert_eq!((again.status, again.text().as_str()), (200, "hello"));
    assert_eq!(world.facilitator.settles(), 1);
}

/// Version 1, and version 2 without an echoed quote, carry no secret: everything in them is public after settlement.
#[tokio::test]
async fn without_a_secret_the_buyer_is_who_asks_from_the_same_address() {
    let world = World::with(rules(), |config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let unpaid = world.get("/first/500", &[]).await;
    let secret = format!("PAYMENT-SIGNATURE: {}", world.buyer.pay(&unpaid, world.now()));
    let v1 = format!("X-PAYMENT: {}", world.buyer.sign_v1(&world.buyer.draft(&unpaid, world.now())));
    let mut draft = world.buyer.draft(&unpaid, world.now());
    draft.offer.extra.as_mut().unwrap().remove("quote");
    let unquoted = format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&draft));
    let (home, away) = ("X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2");
    for (payment, elsewhere) in [(&v1, 409), (&unquoted, 409), (&secret, 500)] {
        assert_eq!(world.get("/first/500", &[payment, home]).await.status, 500);
        assert_eq!(world.get("/first/500", &[payment, away]).await.status, elsewhere);
        assert_eq!(world.get("/first/500", &[payment, home]).await.status, 500);
    }
    assert_eq!(world.facilitator.settles(), 3);
}

#[tokio::test]
async fn a_redelivery_needs_the_same_body() {
    let world = World::start().await;
    let payment = world.payment("/first/500").await;
    assert_eq!(world.send("POST", "/first/500", &[&payment], b"mine").await.status, 500);
    world.until(World::id(&payment), |record| record.body_digest.is_some()).await;
    assert_eq!(world.send("POST", "/first/500", &[&payment], b"other").await.error(), "payment_mismatch");
    assert_eq!(world.send("POST", "/first/500", &[&payment], b"").await.error(), "payment_mismatch");
    assert_eq!(world.send("POST", "/first/500", &[&payment], &[b'x'; 2000]).await.error(), "payment_mismatch");
    assert_eq!(world.origin.hits(), 1);
    assert_eq!(world.send("POST", "/first/500", &[&payment], b"mine").await.status, 500);
    assert_eq!((world.origin.hits(), world.origin.last().body), (2, "mine".into()));
}

/// What is too large for memory is compared all the same: from a file, before the origin is asked.
#[tokio::test]
async fn a_body_of_any_size_can_be_sent_again() {
    let world = World::start().await;
    let payment = world.payment("/first/500").await;
    let (paid, mut other) = (vec![b'x'; 300_000], vec![b'x'; 300_000]);
    other[299_999] = b'y';
    assert_eq!(world.send("POST", "/first/500", &[&payment], &paid).await.status, 500);
    world.until(World::id(&payment), |record| record.body_digest.is_some() && record.redelivering.is_none()).await;
    let refused = world.send("POST", "/first/500", &[&payment], &other).await;
    assert_eq!((refused.status, refused.error().as_str(), world.origin.hits()), (409, "payment_mismatch", 1));
    let again = world.send("POST", "/first/500", &[&payment], &paid).await;
    assert_eq!((again.status, receipt(&again).success), (500, true));
    assert_eq!((world.origin.hits(), world.origin.last().body), (2, paid.into()));
}
