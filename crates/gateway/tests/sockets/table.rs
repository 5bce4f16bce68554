//! The table of answers (DESIGN §3), row by row.

use std::{sync::Arc, time::Duration};

use ledger::{ListFilter, State};
use x402::{Clock, U256};

use crate::redelivery::redeemable;
use crate::support::{
    Buyer, Reply, Wire, World,
    facilitator::Says,
    world::{charge, receipt, request, rules},
};

async fn rows(world: &World) -> usize {
    world.ledger.store().list(ListFilter::default()).await.unwrap().len()
}

fn is_offer(reply: &Reply, reason: &str) {
    assert_eq!(reply.status, 402, "{}", reply.text());
    let required = x402::http::decode_required(reply.header("payment-required").unwrap().as_bytes()).unwrap();
    assert_eq!(required.error.as_deref(), Some(reason));
    let response = receipt(reply);
    assert_eq!((response.success, response.error_reason.as_deref(), response.transaction.as_str()), (false, Some(reason), ""));
}

#[tokio::test]
async fn paid_before_the_response() {
    let world = World::start().await;
    let (payment, reply) = world.paid("/paid/a").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    assert_eq!(reply.header("cache-control"), Some("private, max-age=60"));
    assert!(reply.header("vary").unwrap().contains("PAYMENT-SIGNATURE"));
    let receipt = receipt(&reply);
    assert!(receipt.success && receipt.transaction.len() == 66, "{receipt:?}");
    assert_eq!((receipt.amount.as_deref(), receipt.network.as_str()), (Some("10000"), "eip155:84532"));
    assert_eq!(receipt.payment, Some(World::id(&payment).to_string()));
    assert_eq!(reply.header("x-payment-response"), None);
    let record = world.until(World::id(&payment), |record| record.delivered).await;
    assert_eq!(record.state, State::Settled);
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (1, 1));
    assert!(!world.facilitator.told().contains("quote"), "a quote never leaves the gateway");
}

#[tokio::test]
async fn paid_before_the_origin() {
    let world = World::start().await;
    let (payment, reply) = world.paid("/first/a").await;
    assert_eq!((reply.status, receipt(&reply).success), (200, true));
    world.until(World::id(&payment), |record| record.delivered).await;
}

#[tokio::test]
async fn paid_in_version_1() {
    let world = World::start().await;
    let draft = world.buyer.draft(&world.get("/paid/a", &[]).await, world.now());
    let payment = format!("X-PAYMENT: {}", world.buyer.sign_v1(&draft));
    let reply = world.get("/paid/a", &[&payment]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.header("x-payment-response").is_some() && reply.header("payment-response").is_none());
    world.until(World::id(&payment), |record| record.delivered).await;
    assert_eq!(world.get("/paid/a", &[&payment]).await.error(), "already_delivered");
}

#[tokio::test]
async fn malformed_payments_are_400() {
    let world = World::start().await;
    let good = world.payment("/paid/a").await;
    let value = good.split_once(": ").unwrap().1.to_owned();
    let draft = world.buyer.draft(&world.get("/paid/a", &[]).await, world.now());
    let v1 = format!("X-PAYMENT: {}", world.buyer.sign_v1(&draft));
    let v2_as_v1 = format!("X-PAYMENT: {value}");
    let v1_as_v2 = v1.replace("X-PAYMENT", "PAYMENT-SIGNATURE");
    let joined = format!("{good}, {value}");
    let padded = format!("{good}=");
    let huge = format!("PAYMENT-SIGNATURE: {}", "QUFB".repeat(5000));
    for lines in [
        &["PAYMENT-SIGNATURE: garbage"][..],
        &["PAYMENT-SIGNATURE:"],
        &["PAYMENT-SIGNATURE: e30="],
        &["PAYMENT-SIGNATURE: W10="],
        &["X-PAYMENT: e30="],
        &[&good, &good],
        &[&good, &v1],
        &[&v1, &good],
        &[&good, "X-PAYMENT: garbage"],
        &[&v2_as_v1],
        &[&v1_as_v2],
        &[&joined],
        &[&padded],
        &[&huge],
    ] {
        let reply = world.get("/paid/a", lines).await;
        assert_eq!((reply.status, reply.error().as_str()), (400, "invalid_payload"), "{lines:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("payment-required"), None);
    }
    assert_eq!((world.origin.hits(), world.facilitator.calls(), rows(&world).await), (0, 0, 0));
}

#[tokio::test]
async fn well_formed_but_invalid_payments_are_402() {
    let world = World::start().await;
    let unpaid = world.get("/paid/a", &[]).await;
    let draft = || world.buyer.draft(&unpaid, world.now());
    let changed = |change: &dyn Fn(&mut crate::support::buyer::Draft)| {
        let mut draft = draft();
        change(&mut draft);
        format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&draft))
    };
    let other = Buyer::new(2);
    let mut stolen = draft();
    stolen.authorization.from = other.address;
    let cases = [
        (changed(&|d| d.authorization.value = U256::from(9999)), "invalid_exact_evm_payload_authorization_value_mismatch"),
        (changed(&|d| d.authorization.to = other.address), "invalid_exact_evm_payload_recipient_mismatch"),
        (changed(&|d| d.authorization.valid_before = U256::from(world.now() + 1)), "invalid_exact_evm_payload_authorization_valid_before"),
        (changed(&|d| d.authorization.valid_after = U256::from(world.now() + 30)), "invalid_exact_evm_payload_authorization_valid_after"),
        (changed(&|d| d.offer.asset = other.address.to_string()), "invalid_payment_requirements"),
    ];
    for (payment, reason) in &cases {
        is_offer(&world.get("/paid/a", &[payment]).await, reason);
    }
    assert_eq!((world.origin.hits(), rows(&world).await), (0, 0));
    world.facilitator.verify(Says::No("insufficient_funds"));
    let payment = changed(&|_| {});
    is_offer(&world.get("/paid/a", &[&payment]).await, "insufficient_funds");
    assert_eq!((world.origin.hits(), rows(&world).await), (0, 0));
    // The nonce is not burned: the very same payment goes through once there are funds.
    world.facilitator.verify(Says::Yes);
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 200);
}

/// A11: nothing that the payer echoes is authority.
#[tokio::test]
async fn a_cheaper_echo_buys_nothing() {
    let dear = rules::RuleSpec { price: Some(rules::PriceSpec::Dollars("$1".into())), ..charge("dear", "/dear") };
    let world = World::with([rules(), vec![dear]].concat(), |_| {}).await;
    let cheap = world.payment("/paid/a").await;
    assert_eq!(world.get("/dear/a", &[&cheap]).await.status, 402);
    let mut draft = world.buyer.draft(&world.get("/dear/a", &[]).await, world.now());
    draft.offer.amount = U256::from(1);
    draft.authorization.value = U256::from(1);
    draft.required.resource.url = "https://shop.example/paid/a".to_owned();
    let echoed = format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&draft));
    assert_eq!(world.get("/dear/a", &[&echoed]).await.status, 402);
    assert_eq!((world.origin.hits(), rows(&world).await), (0, 0));
}

#[tokio::test]
async fn a_known_payment_for_another_request_is_409() {
    let world = World::start().await;
    let (payment, _) = world.paid("/paid/a?x=1").await;
    for (method, target, line) in [
        ("GET", "/paid/b", ""),
        ("GET", "/paid/a?x=2", ""),
        ("GET", "/paid/a", ""),
        ("POST", "/paid/a?x=1", ""),
        ("HEAD", "/paid/a?x=1", ""),
        ("GET", "/paid/a?x=1", "Range: bytes=0-1"),
        ("GET", "/first/a", ""),
    ] {
        let reply = world.send(method, target, &[&payment, if line.is_empty() { "X-Y: z" } else { line }], b"").await;
        assert_eq!(reply.status, 409, "{method} {target} {line}");
        if method != "HEAD" {
            assert_eq!(reply.error(), "payment_mismatch");
        }
        assert_eq!((reply.header("payment-response"), reply.header("payment-required")), (None, None));
    }
    assert_eq!(world.origin.hits(), 1);
}

/// What the conditions read is part of what was bought.
#[tokio::test]
async fn a_fact_that_the_conditions_read_binds() {
    let world = World::start().await;
    let unpaid = world.get("/tiered/truncated", &["X-Tier: gold"]).await;
    let payment = format!("PAYMENT-SIGNATURE: {}", world.buyer.pay(&unpaid, world.now()));
    assert_eq!(world.get("/tiered/truncated", &["X-Tier: gold", &payment]).await.status, 200);
    redeemable(&world, &payment).await;
    let other = world.get("/tiered/truncated", &["X-Tier: gold", "X-Tier: blue", &payment]).await;
    assert_eq!(other.error(), "payment_mismatch");
    assert_eq!(world.get("/tiered/truncated", &["X-Tier: gold", "X-Unread: 1", &payment]).await.status, 200);
}

/// A4: the same authorization in other bytes is not the buyer's header.
#[tokio::test]
async fn other_spellings_of_a_payment_are_refused() {
    let world = World::start().await;
    let draft = world.buyer.draft(&world.get("/paid/a", &[]).await, world.now());
    let payment = format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&draft));
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 200);
    let mut respelled = draft.clone();
    respelled.required.resource.url.push('x');
    let mut unquoted = draft.clone();
    unquoted.offer.extra.as_mut().unwrap().remove("quote");
    for line in [
        format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&respelled)),
        format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&unquoted)),
        format!("X-PAYMENT: {}", world.buyer.sign_v1(&draft)),
    ] {
        assert_eq!(world.get("/paid/a", &[&line]).await.error(), "payment_mismatch");
    }
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (1, 1));
}

#[tokio::test]
async fn delivered_is_409_with_the_receipt() {
    let world = World::start().await;
    let (payment, paid) = world.paid("/paid/a").await;
    world.until(World::id(&payment), |record| record.delivered).await;
    let again = world.get("/paid/a", &[&payment]).await;
    assert_eq!((again.status, again.error().as_str()), (409, "already_delivered"));
    assert_eq!(again.header("payment-response"), paid.header("payment-response"));
    assert_eq!(world.origin.hits(), 1);
    // For as long as the authorization could be replayed, and after.
    world.clock.pass(100_000);
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 409);
}

#[tokio::test]
async fn in_flight_is_409_with_retry_after() {
    let world = Arc::new(World::start().await);
    let payment = world.payment("/paid/hold").await;
    let first = tokio::spawn({
        let (world, payment) = (Arc::clone(&world), payment.clone());
        async move { world.get("/paid/hold", &[&payment]).await }
    });
    // Settled by now, and its first delivery is under way.
    world.until(World::id(&payment), |record| record.state == State::Settled).await;
    let second = world.get("/paid/hold", &[&payment]).await;
    assert_eq!((second.status, second.error().as_str()), (409, "payment_in_flight"));
    assert!(second.header("retry-after").is_some());
    world.origin.go_on();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (1, 1));
}

/// Claimed, and the origin has not answered yet.
#[tokio::test]
async fn claimed_is_409_with_retry_after() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    let mut first = Wire::open(world.address).await;
    first.send(format!("POST /paid/a HTTP/1.1\r\nHost: shop.example\r\n{payment}\r\nContent-Length: 5\r\n\r\n")).await;
    world.until(World::id(&payment), |record| record.state == State::Claimed).await;
    let second = world.send("POST", "/paid/a", &[&payment], b"hello").await;
    assert_eq!((second.status, second.error().as_str(), second.header("retry-after")), (409, "payment_in_flight", Some("2")));
    assert_eq!(second.json()["payment"], World::id(&payment).to_string());
    first.send("hello").await;
    assert_eq!(first.reply().await.status, 200);
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (1, 1));
}

/// DESIGN §5: after a release the same authorization may be claimed anew for the same request, never for another.
#[tokio::test]
async fn a_released_payment_stays_bound_to_its_request() {
    let world = World::start().await;
    let (payment, reply) = world.paid("/paid/500").await;
    assert_eq!(reply.status, 500);
    world.until(World::id(&payment), |record| record.state == State::Released).await;
    let elsewhere = world.get("/paid/a", &[&payment]).await;
    assert_eq!((elsewhere.status, elsewhere.error().as_str()), (409, "payment_mismatch"));
    assert_eq!(world.origin.hits(), 1);
    assert_eq!(world.get("/paid/500", &[&payment]).await.status, 500);
    assert_eq!((world.origin.hits(), world.facilitator.settles()), (2, 0));
}

/// A1: one authorization, one admission.
#[tokio::test]
async fn two_hundred_copies_reach_the_origin_once() {
    let world = Arc::new(World::with(rules(), |config| config.threads = 2).await);
    let payment = world.payment("/paid/a").await;
    let copies: Vec<_> = (0..200)
        .map(|_| {
            let (world, payment) = (Arc::clone(&world), payment.clone());
            tokio::spawn(async move { world.get("/paid/a", &[&payment]).await.status })
        })
        .collect();
    let mut served = 0;
    for copy in copies {
        match copy.await.unwrap() {
            200 => served += 1,
            409 | 503 => {}
            status => panic!("{status}"),
        }
    }
    assert_eq!((served, world.origin.hits(), world.facilitator.settles()), (1, 1, 1));
    assert_eq!(rows(&world).await, 1);
}

#[tokio::test]
async fn a_settlement_refused_for_good_withholds_the_answer() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    world.facilitator.settle(Says::No("insufficient_funds"));
    let reply = world.get("/paid/a", &[&payment]).await;
    is_offer(&reply, "insufficient_funds");
    assert!(!reply.text().contains("hello"));
    assert_eq!(world.until(World::id(&payment), |_| true).await.state, State::Failed);
    // As unknown: for the same request it may be tried anew, for another never.
    world.facilitator.settle(Says::Yes);
    assert_eq!(world.get("/paid/b", &[&payment]).await.status, 409);
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 200);
}

#[tokio::test]
async fn a_facilitator_that_is_down_is_503_without_offers() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    world.facilitator.verify(Says::Nothing);
    let reply = world.get("/paid/a", &[&payment]).await;
    assert_eq!((reply.status, reply.error().as_str()), (503, "settlement_unavailable"));
    assert!(reply.header("retry-after").is_some() && reply.header("payment-required").is_none());
    assert_eq!((world.origin.hits(), rows(&world).await), (0, 0));
}

#[tokio::test]
async fn uncharged_answers_pass_and_release() {
    let world = World::start().await;
    for status in [301_u16, 304, 400, 401, 404, 429, 500, 502, 503] {
        let (payment, reply) = world.paid(&format!("/paid/{status}")).await;
        assert_eq!((reply.status, reply.header("payment-response")), (status, None));
        assert!(reply.header("cache-control").unwrap().starts_with("private"));
        assert_eq!(world.until(World::id(&payment), |_| true).await.state, State::Released);
    }
    assert_eq!(world.facilitator.settles(), 0);
    for status in [200_u16, 201, 204, 206] {
        let (payment, reply) = world.paid(&format!("/paid/{status}")).await;
        assert_eq!((reply.status, receipt(&reply).success), (status, true));
        world.until(World::id(&payment), |record| record.delivered).await;
    }
}

#[tokio::test]
async fn no_answer_from_the_origin_releases() {
    let world = World::with(rules(), |config| config.origin = "http://127.0.0.1:1".parse().unwrap()).await;
    let (payment, reply) = world.paid("/paid/a").await;
    assert_eq!((reply.status, reply.error().as_str(), reply.header("payment-response")), (502, "origin_unreachable", None));
    assert_eq!(world.until(World::id(&payment), |_| true).await.state, State::Released);
    let (payment, reply) = world.paid("/first/a").await;
    assert_eq!((reply.status, receipt(&reply).success), (502, true));
    assert!(!world.until(World::id(&payment), |_| true).await.delivered);
}

#[tokio::test]
async fn a_claim_by_the_facilitators_face_is_not_redeemable_here() {
    let world = World::start().await;
    let draft = world.buyer.draft(&world.get("/paid/a", &[]).await, world.now());
    let payload = world.buyer.payload(&draft, x402::Version::V2);
    let x402::SchemePayload::Exact(exact) = &payload.payload else { panic!() };
    let asset = &crate::support::world::market(rules::Unmatched::Pass).assets[0];
    let domain = x402::eip712::domain_separator(&asset.name, &asset.version, 84532, asset.id.address);
    let payment = x402::exact::authenticate(exact, asset, &domain).unwrap();
    let terms = x402::Terms::try_from(&draft.offer).unwrap();
    let now = world.clock.now();
    let verified = x402::verified::verify(payment, terms, x402::Evidence::Facilitator, now, 0).unwrap();
    assert!(matches!(world.ledger.claim(verified, None, 0).await.unwrap(), ledger::Claim::New(_)));
    let line = format!("PAYMENT-SIGNATURE: {}", world.buyer.sign(&draft));
    is_offer(&world.get("/paid/a", &[&line]).await, "authorization_used");
    assert_eq!(world.origin.hits(), 0);
}

#[tokio::test]
async fn conditions_are_dropped_and_a_range_is_one_request() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    let lines = ["If-None-Match: \"a\"", "If-Modified-Since: x", "If-Match: \"a\"", "If-Unmodified-Since: x", "Range: bytes=0-1", &payment];
    assert_eq!(world.get("/paid/a", &lines).await.status, 200);
    let seen = world.origin.last();
    assert!(["if-none-match", "if-modified-since", "if-match", "if-unmodified-since"].iter().all(|name| seen.header(name).is_none()));
    assert_eq!(seen.header("range"), Some("bytes=0-1"));
}

#[tokio::test]
async fn paid_streams_are_not_buffered() {
    let world = World::start().await;
    let payment = world.payment("/paid/events").await;
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/paid/events", &[&payment], b"")).await;
    let head = wire.head().await;
    assert!(receipt(&head).success);
    for event in 1..=3 {
        let mut seen = String::new();
        while !seen.contains(&format!("data: {event}")) {
            seen += &String::from_utf8(wire.more().await).unwrap();
        }
        assert!(!seen.contains(&format!("data: {}", event + 1)));
        assert!(!world.until(World::id(&payment), |_| true).await.delivered);
        world.origin.go_on();
    }
    world.until(World::id(&payment), |record| record.delivered).await;
}

#[tokio::test]
async fn head_and_empty_answers_are_delivered() {
    let world = World::start().await;
    let unpaid = world.send("HEAD", "/paid/whole", &[], b"").await;
    let payment = format!("PAYMENT-SIGNATURE: {}", world.buyer.pay(&unpaid, world.now()));
    assert_eq!(world.send("HEAD", "/paid/whole", &[&payment], b"").await.status, 200);
    world.until(World::id(&payment), |record| record.delivered).await;
    let (payment, reply) = world.paid("/paid/empty").await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    world.until(World::id(&payment), |record| record.delivered).await;
}

#[tokio::test]
async fn quotes_are_honoured_over_a_reload_and_then_are_not() {
    let world = World::start().await;
    let payment = world.payment("/paid/a").await;
    let later = world.payment("/paid/b").await;
    let dear = rules::RuleSpec { price: Some(rules::PriceSpec::Dollars("$2".into())), ..charge("paid", "/paid") };
    let set = rules::RuleSet::build(vec![dear], crate::support::world::market(rules::Unmatched::Pass)).unwrap();
    world.gateway.reload(world.config.clone(), set).unwrap();
    assert_eq!(world.get("/paid/a", &[&payment]).await.status, 200);
    world.clock.pass(301);
    let reply = world.get("/paid/b", &[&later]).await;
    assert_eq!(reply.status, 402);
    let mut moved = world.config.clone();
    moved.threads = 7;
    let set = rules::RuleSet::build(rules(), crate::support::world::market(rules::Unmatched::Pass)).unwrap();
    assert!(matches!(world.gateway.reload(moved, set), Err(gateway::ReloadError::NeedsRestart("threads"))));
}

#[tokio::test]
async fn a_shutdown_waits_for_what_is_under_way() {
    let world = World::start().await;
    let payment = world.payment("/paid/hold").await;
    let mut wire = Wire::open(world.address).await;
    wire.send(request("GET", "/paid/hold", &[&payment], b"")).await;
    world.origin.wait_for(1).await;
    let World { gateway, origin, ledger, .. } = world;
    let ending = tokio::spawn(gateway.shutdown(Duration::from_secs(20)));
    origin.go_on();
    assert_eq!(wire.reply().await.status, 200);
    assert!(wire.ends().await);
    ending.await.unwrap();
    assert!(ledger.recall(World::id(&payment)).await.unwrap().unwrap().delivered);
}
