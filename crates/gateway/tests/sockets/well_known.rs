//! What the gateway answers itself.

use serde_json::json;

use crate::support::{
    World,
    world::{charge, receipt},
};

#[tokio::test]
async fn the_price_list_names_resources_and_hides_conditions() {
    let world = World::start().await;
    let reply = world.get("/.well-known/x402.json", &["Origin: https://app.example"]).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, Some("*")));
    let list = reply.json();
    assert_eq!(list["x402Version"], 2);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let item = &list["items"][0];
    assert_eq!((&item["resource"]["url"], &item["type"]), (&json!("https://shop.example/paid/a"), &json!("http")));
    assert_eq!((&item["accepts"][0]["amount"], &item["input"]), (&json!("10000"), &json!({ "method": "GET" })));
    assert!(!reply.text().contains("starts_with"));
}

#[tokio::test]
async fn the_price_list_names_the_method_that_a_rule_prices() {
    let posted = rules::RuleSpec {
        when: Some("http.request.uri.path eq \"/posted\" and http.request.method in {\"PUT\" \"POST\"}".to_owned()),
        resource: Some("https://shop.example/posted".to_owned()),
        ..charge("posted", "/posted")
    };
    let world = World::with(vec![posted], |_| {}).await;
    let list = world.get("/.well-known/x402.json", &[]).await.json();
    assert_eq!(list["items"][0]["input"]["method"], "POST");
}

#[tokio::test]
async fn unknown_names_are_404_and_reach_nobody() {
    let world = World::with(vec![rules::RuleSpec { when: None, ..charge("all", "/") }], |_| {}).await;
    for path in
        ["/.well-known/x402", "/.well-known/x402/", "/.well-known/x402-other", "/.well-known/tollway/x", "/.well-known/x402/payments"]
    {
        let reply = world.get(path, &[]).await;
        assert_eq!((reply.status, reply.error().as_str()), (404, "not_found"), "{path}");
    }
    let posted = world.send("POST", "/.well-known/x402.json", &[], b"").await;
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(world.send("HEAD", "/.well-known/x402.json", &[], b"").await.status, 200);
    assert_eq!(world.origin.hits(), 0);
    assert_eq!(world.get("/.well-known/other", &[]).await.status, 200);
}

#[tokio::test]
async fn the_status_of_a_payment_can_be_asked() {
    let world = World::start().await;
    let (payment, paid) = world.paid("/paid/a").await;
    let id = World::id(&payment);
    world.until(id, |record| record.delivered).await;
    let status = world.get(&format!("/.well-known/x402/payments/{id}"), &[]).await;
    let transaction = receipt(&paid).transaction;
    let expected =
        json!({ "payment": id.to_string(), "state": "settled", "delivered": true, "amount": "10000", "transaction": transaction });
    assert_eq!((status.status, status.json()), (200, expected));
    assert_eq!(world.get(&format!("/.well-known/x402/payments/pay_{}", "0".repeat(32)), &[]).await.status, 404);
    for id in ["pay_1", "x", "PAY_00000000000000000000000000000000", "pay_0000000000000000000000000000000G", ""] {
        assert_eq!(world.get(&format!("/.well-known/x402/payments/{id}"), &[]).await.status, 400, "{id}");
    }
}

/// The origin's side of `PAYMENT-CONTEXT`, with somebody else's verifier.
#[tokio::test]
async fn the_context_verifies_against_the_key_set() {
    let world = World::start().await;
    let (payment, _) = world.paid("/paid/a?x=1").await;
    let (_, first) = world.paid("/first/a").await;
    assert_eq!(first.status, 200);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&world.get("/.well-known/tollway/jwks.json", &[]).await.body).unwrap();
    let [before_response, before_origin] = &world.origin.seen()[..] else { panic!("{:?}", world.origin.seen()) };
    let claims = |seen: &crate::support::origin::Seen, audience: &str| {
        let token = seen.header("payment-context").unwrap().to_owned();
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
        rules.set_audience(&[audience]);
        rules.set_issuer(&["https://shop.example"]);
        rules.validate_exp = false;
        jsonwebtoken::decode::<serde_json::Value>(&token, &key, &rules).unwrap().claims
    };
    let told = claims(before_response, "https://shop.example/paid/a?x=1");
    let now = world.now();
    let payer = world.buyer.address.to_checksum(None);
    let expected = json!({
        "iss": "https://shop.example", "aud": "https://shop.example/paid/a?x=1", "iat": now, "nbf": now, "exp": now + 120, "scheme": "exact",
        "amount": "10000", "jti": World::id(&payment).to_string(), "payer": payer, "network": "eip155:84532", "rule": "paid", "method": "GET",
        "state": "claimed", "asset": crate::support::world::USDC.parse::<x402::Address>().unwrap().to_checksum(None),
    });
    assert_eq!(told, expected);
    assert_eq!(claims(before_origin, "https://shop.example/first/a")["state"], "settled");
}
