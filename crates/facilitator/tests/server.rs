//! The HTTP face over a socket.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{net::SocketAddr, time::Duration};

use alloy_primitives::U256;
use common::{ACCESS_TOKEN, BUYER, PAYEE, PRICE, Payment, Rig, SIGNER, config, counterfactual, ledger, payment, payment_of, until, usdc};
use devnet::{ACCOUNTS, Devnet, Faults, Outage, contracts};
use facilitator::{
    Config, Facilitator,
    server::{self, Access},
};
use ledger::{Attempt, Binding, Claim, State};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};
use x402::{B256, PaymentPayload, PaymentRequirements, SchemePayload, Version};

struct Face {
    rig: Rig,
    address: SocketAddr,
    client: Client,
    _stop: oneshot::Sender<()>,
}

impl Face {
    async fn new() -> Self {
        Self::over(Rig::new().await, Access::default()).await
    }

    async fn over(rig: Rig, access: Access) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server::serve(listener, rig.facilitator.clone(), access, async { drop(stopped.await) }));
        Self { rig, address, client: Client::builder().no_proxy().build().unwrap(), _stop: stop }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(path, body.to_string()).await
    }

    async fn send(&self, path: &str, body: String) -> (StatusCode, Value) {
        let response = self.client.post(self.url(path)).header("content-type", "application/json").body(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

fn body(payment: &Payment) -> Value {
    let requirements = PaymentRequirements {
        scheme: "exact".into(),
        network: payment.terms.network().to_string(),
        amount: payment.terms.amount,
        asset: payment.terms.asset.address.to_checksum(None),
        pay_to: payment.terms.pay_to.to_checksum(None),
        max_timeout_seconds: 60,
        extra: json!({ "name": "USDC", "version": "2" }).as_object().cloned(),
    };
    let payload = PaymentPayload {
        version: Version::V2,
        scheme: "exact".into(),
        network: requirements.network.clone(),
        accepted: Some(requirements.clone()),
        resource: None,
        payload: SchemePayload::Exact(payment.payload.clone()),
        extensions: Default::default(),
    };
    json!({ "x402Version": 2, "paymentPayload": x402::v2::payload_value(&payload), "paymentRequirements": requirements })
}

fn body_v1(payment: &Payment) -> Value {
    let v2 = body(payment);
    json!({
        "x402Version": 1,
        "paymentPayload": { "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": v2["paymentPayload"]["payload"] },
        "paymentRequirements": {
            "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": v2["paymentRequirements"]["amount"],
            "resource": "https://api.example.com/x", "description": "", "mimeType": "", "payTo": v2["paymentRequirements"]["payTo"],
            "maxTimeoutSeconds": 60, "asset": v2["paymentRequirements"]["asset"], "extra": { "name": "USDC", "version": "2" },
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn version_2_verifies_and_settles_once() {
    let face = Face::new().await;
    let payment = payment();
    let payer = BUYER.address.to_checksum(None);
    assert_eq!(face.post("/verify", &body(&payment)).await, (StatusCode::OK, json!({ "isValid": true, "payer": payer })));
    let (status, settled) = face.post("/settle", &body(&payment)).await;
    assert_eq!((status, &settled["success"], &settled["network"]), (StatusCode::OK, &json!(true), &json!("eip155:84532")), "{settled}");
    assert_eq!(settled["amount"], json!(PRICE.to_string()));
    assert_eq!(settled["payment"], json!(payment.key().id().to_string()));
    // Again: the recorded result, no second transaction.
    assert_eq!(face.post("/settle", &body(&payment)).await.1, settled);
    assert_eq!(face.rig.devnet.requests()["eth_sendRawTransaction"], 1);
    assert_eq!(face.rig.balance(PAYEE), U256::from(PRICE));
    let (_, refused) = face.post("/verify", &body(&payment)).await;
    assert_eq!(refused, json!({ "isValid": false, "invalidReason": "authorization_used", "payer": payer }));
}

#[tokio::test(flavor = "multi_thread")]
async fn version_1_is_answered_in_its_names() {
    let face = Face::new().await;
    let payment = payment();
    assert_eq!(face.post("/verify", &body_v1(&payment)).await.1["isValid"], json!(true));
    let (status, settled) = face.post("/settle", &body_v1(&payment)).await;
    assert_eq!((status, &settled["success"], &settled["network"]), (StatusCode::OK, &json!(true), &json!("base-sepolia")), "{settled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_supported() {
    let face = Face::new().await;
    let (status, supported) = face.get("/supported").await;
    assert_eq!(status, StatusCode::OK);
    let kinds = json!([
        { "x402Version": 2, "scheme": "exact", "network": "eip155:84532" },
        { "x402Version": 1, "scheme": "exact", "network": "base-sepolia" },
    ]);
    assert_eq!(supported, json!({ "kinds": kinds, "extensions": [], "signers": { "eip155:*": [SIGNER.address.to_checksum(None)] } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_payment_many_times_at_once_is_one_transaction() {
    let face = Face::new().await;
    let payment = payment();
    let text = body(&payment).to_string();
    let all = futures_util::future::join_all((0..30).map(|_| face.send("/settle", text.clone()))).await;
    for (status, answer) in &all {
        assert_eq!((*status, &answer["success"]), (StatusCode::OK, &json!(true)), "{answer}");
        assert_eq!(answer["transaction"], all[0].1["transaction"]);
    }
    assert_eq!(face.rig.devnet.requests()["eth_sendRawTransaction"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn decided_refusals_are_200() {
    let face = Face::new().await;
    let reason = |mutate: fn(&mut Value)| {
        let mut value = body(&payment());
        mutate(&mut value);
        value
    };
    let cases = [
        (reason(|v| v["paymentRequirements"]["amount"] = json!("20000")), "invalid_exact_evm_payload_authorization_value_mismatch"),
        (reason(|v| v["paymentRequirements"]["payTo"] = json!(BUYER.address)), "invalid_exact_evm_payload_recipient_mismatch"),
        (reason(|v| v["paymentRequirements"]["network"] = json!("eip155:1")), "invalid_network"),
        (reason(|v| v["paymentRequirements"]["scheme"] = json!("upto")), "unsupported_scheme"),
        (reason(|v| v["paymentPayload"]["accepted"]["scheme"] = json!("upto")), "unsupported_scheme"),
        (reason(|v| v["paymentPayload"]["accepted"]["network"] = json!("eip155:8453")), "invalid_network"),
        (reason(|v| v["paymentRequirements"]["asset"] = json!(BUYER.address)), "invalid_payment_requirements"),
        (body(&payment_of(&usdc(), BUYER.address, ACCOUNTS[3])), "invalid_exact_evm_payload_signature"),
        (body(&counterfactual(&face.rig.devnet, BUYER, 1, contracts::WALLET_FACTORY)), "eip6492_factory_not_allowed"),
    ];
    for (value, code) in cases {
        let (status, verified) = face.post("/verify", &value).await;
        assert_eq!((status, &verified["isValid"], &verified["invalidReason"]), (StatusCode::OK, &json!(false), &json!(code)));
        let (status, settled) = face.post("/settle", &value).await;
        assert_eq!(
            (status, &settled["success"], &settled["errorReason"], &settled["transaction"]),
            (StatusCode::OK, &json!(false), &json!(code), &json!(""))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_is_400() {
    let face = Face::new().await;
    let good = body(&payment());
    let without = |key: &str| {
        let mut value = good.clone();
        value.as_object_mut().unwrap().remove(key);
        value.to_string()
    };
    let with = |pointer: &str, to: Value| {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = to;
        value.to_string()
    };
    let cases = [
        String::new(),
        "[]".into(),
        "{".into(),
        without("paymentPayload"),
        without("paymentRequirements"),
        with("/x402Version", json!(3)),
        with("/x402Version", json!("2")),
        with("/x402Version", json!(1)),
        with("/paymentPayload/payload/authorization/value", json!(10_000)),
        with("/paymentPayload/payload/authorization/value", json!("010000")),
        with("/paymentPayload/payload/authorization/nonce", json!("0x12")),
        with("/paymentRequirements/amount", json!("-1")),
        good.to_string().replacen('{', "{\"x402Version\":2,", 1),
    ];
    for text in cases {
        for path in ["/verify", "/settle"] {
            let (status, answer) = face.send(path, text.clone()).await;
            assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_payload")), "{text}");
            assert!(answer["message"].is_string());
        }
    }
    let (status, answer) = face.send("/verify", " ".repeat(65 * 1024)).await;
    assert_eq!((status, &answer["error"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("payload_too_large")));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods() {
    let face = Face::new().await;
    assert_eq!(face.get("/verify").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(face.post("/supported", &json!({})).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(face.get("/").await.0, StatusCode::NOT_FOUND);
    assert_eq!(face.client.get(face.url("/healthz")).send().await.unwrap().text().await.unwrap(), "ok\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_that_is_down_is_503() {
    let face = Face::new().await;
    let payment = payment();
    face.rig.devnet.set_faults(Faults { node_down: Some(Outage::Reset), ..Faults::default() });
    for path in ["/verify", "/settle"] {
        let response = face.client.post(face.url(path)).json(&body(&payment)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
    }
    face.rig.devnet.set_faults(Faults::default());
    face.rig.ready().await;
    assert_eq!(face.post("/settle", &body(&payment)).await.1["success"], json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_not_ready_is_not_supported() {
    let rig = Rig::unready(|devnet, _| devnet.set_faults(Faults { wrong_chain_id: Some(1), ..Faults::default() })).await;
    rig.why_not_ready("chain 1").await;
    let face = Face::over(rig, Access::default()).await;
    assert_eq!(face.get("/supported").await.1["kinds"], json!([]));
    let (status, answer) = face.post("/verify", &body(&payment())).await;
    assert_eq!((status, &answer["error"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("network_not_ready")));
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_is_told_with_the_hash() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(300)).await;
    rig.devnet.set_automine(false);
    let face = Face::over(rig, Access::default()).await;
    let payment = payment();
    let (status, answer) = face.post("/settle", &body(&payment)).await;
    assert_eq!(
        (status, &answer["success"], &answer["errorReason"]),
        (StatusCode::OK, &json!(false), &json!("settlement_pending")),
        "{answer}"
    );
    let hash = answer["transaction"].as_str().unwrap().to_owned();
    assert_eq!(hash.len(), 66);
    assert_eq!(face.post("/settle", &body(&payment)).await.1, answer);
    face.rig.devnet.mine(1);
    face.rig.until_state(&payment, State::Settled).await;
    let (_, settled) = face.post("/settle", &body(&payment)).await;
    assert_eq!((&settled["success"], &settled["transaction"]), (&json!(true), &json!(hash)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateways_claim_is_never_submitted_here() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(300)).await;
    let payment = payment();
    let binding = Binding {
        request: B256::repeat_byte(1),
        facts: B256::ZERO,
        conditions: B256::ZERO,
        header: B256::repeat_byte(2),
        source: [127, 0, 0, 1].into(),
        version_1: false,
        rule: "r".into(),
        method: "GET".into(),
        path: "/".into(),
    };
    let verification = rig.verify(&payment).await.unwrap();
    let claim = rig.ledger.claim(verification.verified, Some(binding), verification.head_block).await.unwrap();
    let Claim::New(claimed) = claim else { panic!("{claim:?}") };
    let face = Face::over(rig, Access::default()).await;
    let (_, waiting) = face.post("/settle", &body(&payment)).await;
    assert_eq!(waiting["errorReason"], json!("settlement_pending"));
    drop(face.rig.ledger.release(claimed, "origin_failed").await.unwrap());
    let (_, released) = face.post("/settle", &body(&payment)).await;
    assert_eq!(released["errorReason"], json!("authorization_used"));
    assert_eq!(face.rig.devnet.requests().get("eth_sendRawTransaction"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_stops_nothing() {
    let rig = Rig::new().await;
    rig.devnet.set_faults(Faults { delay: [("eth_estimateGas".to_owned(), 400)].into(), ..Faults::default() });
    let face = Face::over(rig, Access::default()).await;
    let payment = payment();
    let call = face.client.post(face.url("/settle")).json(&body(&payment)).timeout(Duration::from_millis(250)).send().await;
    assert!(call.is_err());
    face.rig.until_state(&payment, State::Settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_payees_are_demanded() {
    let access = Access { tokens: vec!["other".into(), ACCESS_TOKEN.into()], pay_to: vec![PAYEE] };
    let face = Face::over(Rig::new().await, access).await;
    let ask = |token: Option<&'static str>, payment: Payment| {
        let request = face.client.post(face.url("/verify")).json(&body(&payment));
        let request = match token {
            Some(token) => request.header("authorization", token),
            None => request,
        };
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(ask(None, payment()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("Bearer wrong"), payment()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("Basic c2VjcmV0"), payment()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(Some("bearer secret-token"), payment()).await, StatusCode::OK);
    let mut elsewhere = common::authorization(BUYER.address, PRICE);
    elsewhere.to = ACCOUNTS[6].address;
    assert_eq!(ask(Some("Bearer secret-token"), common::signed(&usdc(), elsewhere, BUYER)).await, StatusCode::FORBIDDEN);
}

/// A gateway's facilitator that asks another one by URL.
async fn remote(devnet: &Devnet, url: String, with_chain: bool) -> (Facilitator, ledger::Ledger) {
    let mut config: Config = config(devnet);
    config.networks[0].signers.clear();
    if !with_chain {
        config.networks[0].rpc.clear();
    }
    config.remotes = vec!["http://127.0.0.1:1".into(), url];
    let ledger = ledger().await;
    let facilitator = Facilitator::start(config, ledger.clone(), Handle::current()).unwrap();
    until("the remote is ready", || async { facilitator.readiness(&common::network()).is_ready() }).await;
    (facilitator, ledger)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_settles_through_a_remote_facilitator() {
    let face = Face::new().await;
    for with_chain in [false, true] {
        let (facilitator, ledger) = remote(&face.rig.devnet, face.url("/"), with_chain).await;
        let payment = payment();
        let authenticated = facilitator.authenticate(&payment.payload, &payment.terms.asset).unwrap();
        let verification = facilitator.verify(authenticated, payment.terms.clone(), 5).await.unwrap();
        let claim = ledger.claim(verification.verified, None, verification.head_block).await.unwrap();
        let Claim::New(claimed) = claim else { panic!("{claim:?}") };
        let outcome = facilitator.settle(claimed).await;
        let facilitator::Outcome::Settled(settled) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(settled.record().attempt, Some(Attempt::Remote { .. })));
        assert_eq!(settled.settlement().log_index.is_some(), with_chain);
        assert!(face.rig.devnet.receipt(settled.settlement().transaction).is_some());
    }
    assert_eq!(face.rig.balance(PAYEE), U256::from(2 * PRICE));
}
