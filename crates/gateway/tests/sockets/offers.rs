//! The 402: offers, their headers, what browsers are told.

use crate::support::{
    World,
    world::{PAY_TO, USDC, market, rules as all_rules},
};

#[tokio::test]
async fn an_unpaid_request_is_offered_both_versions() {
    let world = World::start().await;
    let reply = world.get("/paid/a?x=1", &[]).await;
    assert_eq!(reply.status, 402);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("vary"), Some("PAYMENT-SIGNATURE, X-PAYMENT"));
    assert_eq!(reply.header("payment-response"), None);
    let v2 = x402::http::decode_required(reply.header("payment-required").unwrap().as_bytes()).unwrap();
    assert_eq!(v2.resource.url, "https://shop.example/paid/a?x=1");
    assert_eq!(v2.accepts.len(), 1);
    let offer = &v2.accepts[0];
    assert_eq!((offer.scheme.as_str(), offer.network.as_str(), offer.amount.to_string().as_str()), ("exact", "eip155:84532", "10000"));
    assert!(offer.asset.eq_ignore_ascii_case(USDC) && offer.pay_to.eq_ignore_ascii_case(PAY_TO));
    let quote = offer.extra.as_ref().unwrap()["quote"].as_str().unwrap().to_owned();
    let v1 = reply.json();
    assert_eq!((v1["x402Version"].as_u64(), v1["accepts"][0]["network"].as_str()), (Some(1), Some("base-sepolia")));
    assert_eq!(v1["accepts"][0]["maxAmountRequired"], "10000");
    assert!(!reply.text().contains(&quote), "the quote stays out of version 1");
    let again = world.get("/paid/a?x=1", &[]).await;
    let again = x402::http::decode_required(again.header("payment-required").unwrap().as_bytes()).unwrap();
    assert_ne!(again.accepts[0].extra.as_ref().unwrap()["quote"].as_str().unwrap(), quote, "every offer has a secret of its own");
}

#[tokio::test]
async fn an_unpaid_request_costs_no_row_and_no_call() {
    let world = World::start().await;
    for _ in 0..20 {
        world.get("/paid/a", &[]).await;
    }
    assert_eq!((world.origin.hits(), world.facilitator.calls()), (0, 0));
    assert!(world.ledger.store().list(ledger::ListFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn head_is_priced_like_get() {
    let world = World::start().await;
    let reply = world.send("HEAD", "/paid/a", &[], b"").await;
    assert_eq!(reply.status, 402);
    assert!(reply.header("payment-required").is_some());
}

#[tokio::test]
async fn scripts_of_other_origins_may_read_and_pay() {
    let world = World::start().await;
    let offered = world.get("/paid/a", &["Origin: https://app.example"]).await;
    assert_eq!(offered.header("access-control-allow-origin"), Some("*"));
    assert!(offered.header("access-control-expose-headers").unwrap().contains("PAYMENT-REQUIRED"));
    let asked = ["Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-mine"];
    // One rule prices every method, the other only POST.
    for path in ["/paid/a", "/posted"] {
        let preflight = world.send("OPTIONS", path, &asked, b"").await;
        assert_eq!(preflight.status, 204, "{path}");
        assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
        let fields = preflight.header("access-control-allow-headers").unwrap();
        assert!(fields.contains("x-mine") && fields.contains("PAYMENT-SIGNATURE") && fields.contains("X-PAYMENT"), "{fields}");
    }
    assert_eq!(world.origin.hits(), 0);
    assert_eq!(world.send("OPTIONS", "/paid/a", &["Origin: https://app.example"], b"").await.status, 402);
    assert_eq!(world.send("OPTIONS", "/free", &asked, b"").await.status, 200);
    let payment = world.payment("/paid/a").await;
    let paid = world.get("/paid/a", &[&payment, "Origin: https://app.example"]).await;
    assert_eq!((paid.status, paid.header("access-control-allow-origin")), (200, Some("*")));
}

#[tokio::test]
async fn a_preflight_is_answered_where_only_what_it_announces_has_a_rule() {
    let world = World::start().await;
    let set = rules::RuleSet::build(all_rules(), market(rules::Unmatched::Deny)).unwrap();
    world.gateway.reload(world.config.clone(), set).unwrap();
    let asked = |method| ["Origin: https://app.example".to_owned(), format!("Access-Control-Request-Method: {method}")];
    let status = async |path, method| {
        let asked = asked(method);
        world.send("OPTIONS", path, &[&asked[0], &asked[1]], b"").await.status
    };
    assert_eq!(status("/posted", "POST").await, 204);
    assert_eq!(status("/posted", "GET").await, 403);
    assert_eq!(status("/blocked", "GET").await, 403);
}
