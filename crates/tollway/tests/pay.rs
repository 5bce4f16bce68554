//! `tollway pay` against a server that plays a script.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ADDRESS, KEY, Ran, Reply, SELLER, Script, USDC, run, tollway};
use serde_json::{Value, json};
use x402::{PaymentPayload, SchemePayload, U256, Version, encoding::base64_encode, exact, http as wire, known, network::Network, v1};

fn offer(amount: &str, asset: &str) -> Value {
    json!({"scheme": "exact", "network": "eip155:84532", "amount": amount, "asset": asset, "payTo": SELLER, "maxTimeoutSeconds": 60,
        "extra": {"name": "USDC", "version": "2", "quote": "q1"}})
}

fn demand(offers: &[Value]) -> Reply {
    let required = json!({"x402Version": 2, "error": "payment required", "resource": {"url": "http://seller.test/x"}, "accepts": offers});
    Reply::new(402, "{}").with("PAYMENT-REQUIRED", base64_encode(required.to_string().as_bytes()))
}

fn receipt(success: bool, reason: Option<&str>) -> String {
    let transaction = if success { format!("0x{}", "ab".repeat(32)) } else { String::new() };
    let body = json!({"success": success, "errorReason": reason, "transaction": transaction, "network": "eip155:84532", "payer": ADDRESS});
    base64_encode(body.to_string().as_bytes())
}

fn served() -> Reply {
    Reply::new(200, "the goods").with("PAYMENT-RESPONSE", receipt(true, None))
}

fn pay(url: &str, args: &[&str]) -> Ran {
    let ran = run(tollway().arg("pay").arg(url).args(args).env("TOLLWAY_BUYER_KEY", KEY));
    assert!(!format!("{}{}", ran.out, ran.err).contains(&KEY[2..]), "the key shows");
    ran
}

fn object(ran: &Ran) -> Value {
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    serde_json::from_str(&ran.out).expect("one JSON object")
}

/// The payment is signed by our key, for exactly these units, to the seller.
fn assert_pays(payload: &PaymentPayload, units: u64) {
    let SchemePayload::Exact(payment) = &payload.payload else { panic!("{payload:?}") };
    assert_eq!(payment.authorization.value, U256::from(units));
    assert_eq!(payment.authorization.to.to_string(), SELLER);
    assert_eq!(payment.authorization.from.to_string(), ADDRESS);
    let asset = &known::network(&Network::eip155(84532)).unwrap().usdc;
    let separator = x402::eip712::domain_separator(&asset.name, &asset.version, 84532, asset.id.address);
    let authentic = exact::authenticate(payment, asset, &separator).expect("grammar and signature hold");
    assert_eq!(authentic.proof(), x402::Proof::Recovered);
}

#[test]
fn a_free_answer_is_handed_out_and_nothing_is_signed() {
    let script = Script::start(vec![Reply::new(200, "free goods")]);
    let ran = pay(&script.url("/x"), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "free goods"), "{}", ran.err);
    let report = object(&pay(&Script::start(vec![Reply::new(200, "free")]).url("/"), &["--json"]));
    let free = json!({"status": 200, "paid": false, "payment": null, "amount": null, "asset": null, "network": null, "transaction": null,
        "payer": null, "body": "free"});
    assert_eq!(report, free);
}

#[test]
fn pays_a_version_2_challenge() {
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), served()]);
    let ran = pay(&script.url("/x?y=1"), &["-H", "accept: text/plain", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let got = script.got();
    assert_eq!(got.len(), 2);
    assert_eq!((got[0].header("payment-signature"), got[0].line.as_str()), (None, "GET /x?y=1 HTTP/1.1"));
    assert_eq!((got[1].line.as_str(), got[1].header("accept")), ("GET /x?y=1 HTTP/1.1", Some("text/plain")));
    let payload = wire::decode_payment(got[1].header("payment-signature").unwrap().as_bytes()).unwrap();
    assert_pays(&payload, 10_000);
    let accepted = payload.accepted.expect("version 2 echoes the offer");
    assert_eq!(serde_json::to_value(accepted).unwrap(), offer("10000", USDC));
    let report = object(&ran);
    assert_eq!(report["paid"], json!(true));
    assert_eq!((&report["amount"], &report["payer"], &report["asset"]), (&json!("10000"), &json!(ADDRESS), &json!(USDC)));
    assert_eq!((&report["network"], &report["body"]), (&json!("eip155:84532"), &json!("the goods")));
    assert_eq!(report["transaction"], json!(format!("0x{}", "ab".repeat(32))));
    assert!(report["payment"].as_str().unwrap().starts_with("pay_"));
    assert!(ran.err.contains("paid") && ran.err.contains("$0.01"), "{}", ran.err);
}

#[test]
fn pays_a_version_1_challenge() {
    let required = json!({"x402Version": 1, "error": "X-PAYMENT header is required", "accepts": [{
        "scheme": "exact", "network": "base-sepolia", "maxAmountRequired": "10000", "asset": USDC, "payTo": SELLER, "resource": "http://seller.test/x",
        "description": "x", "mimeType": "text/plain", "maxTimeoutSeconds": 60, "extra": {"name": "USDC", "version": "2"}}]});
    let paid = Reply::new(200, "old goods").with("X-PAYMENT-RESPONSE", receipt(true, None));
    let script = Script::start(vec![Reply::new(402, required.to_string()), paid]);
    let ran = pay(&script.url("/x"), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "old goods"), "{}", ran.err);
    let got = script.got();
    assert_eq!(got[1].header("payment-signature"), None);
    let payload = v1::decode_payment(got[1].header("x-payment").unwrap().as_bytes()).unwrap();
    assert_eq!(payload.version, Version::V1);
    assert_pays(&payload, 10_000);
}

#[test]
fn a_body_is_sent_twice_the_same() {
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), served()]);
    let ran = pay(&script.url("/x"), &["-d", "{\"q\":1}"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for got in script.got() {
        assert_eq!((got.line.as_str(), got.body.as_slice()), ("POST /x HTTP/1.1", b"{\"q\":1}".as_slice()));
        assert_eq!(got.header("content-type"), Some("application/json"));
    }
}

#[test]
fn the_cheapest_payable_offer_is_taken() {
    let offers = [offer("30000", USDC), offer("20000", USDC), offer("1", SELLER)];
    let script = Script::start(vec![demand(&offers), served()]);
    assert_eq!(pay(&script.url("/x"), &[]).code, 0);
    let payload = wire::decode_payment(script.got()[1].header("payment-signature").unwrap().as_bytes()).unwrap();
    assert_pays(&payload, 20_000);
}

#[test]
fn nothing_is_signed_above_the_limit() {
    let script = Script::start(vec![demand(&[offer("100001", USDC)]), served()]);
    let ran = pay(&script.url("/x"), &["--json"]);
    assert_eq!((ran.code, script.got().len()), (3, 1), "{}", ran.err);
    let report = object(&ran);
    assert_eq!((&report["status"], &report["paid"], &report["payment"]), (&json!(402), &json!(false), &Value::Null));
    assert!(ran.err.contains("$0.100001") && ran.err.contains("$0.10"), "{}", ran.err);
}

#[test]
fn the_limit_itself_may_be_spent_and_can_be_set() {
    for (amount, max) in [("100000", "0.10"), ("500000", "$0.5"), ("1", "0.000001")] {
        let script = Script::start(vec![demand(&[offer(amount, USDC)]), served()]);
        assert_eq!(pay(&script.url("/x"), &["--max", max]).code, 0, "{amount} within {max}");
    }
    let script = Script::start(vec![demand(&[offer("2", USDC)]), served()]);
    assert_eq!((pay(&script.url("/x"), &["--max", "0.000001"]).code, script.got().len()), (3, 1));
}

#[test]
fn only_known_dollar_assets_are_paid_with_and_nothing_odd_is_signed() {
    let mut permit2 = offer("1", USDC);
    permit2["extra"]["assetTransferMethod"] = json!("permit2");
    let mut other_scheme = offer("1", USDC);
    other_scheme["scheme"] = json!("upto");
    let mut unknown_network = offer("1", USDC);
    unknown_network["network"] = json!("eip155:999999");
    let mut endless = offer("1", USDC);
    endless["maxTimeoutSeconds"] = json!(86_401);
    for unpayable in [offer("1", SELLER), offer("0", USDC), permit2, other_scheme, unknown_network, endless] {
        let script = Script::start(vec![demand(std::slice::from_ref(&unpayable)), served()]);
        let ran = pay(&script.url("/x"), &[]);
        assert_eq!((ran.code, script.got().len()), (4, 1), "{unpayable}: {}", ran.err);
    }
}

#[test]
fn an_offer_that_cannot_be_read_does_not_spoil_the_others() {
    let script = Script::start(vec![demand(&[json!({"scheme": "exact"}), json!(7), offer("10000", USDC)]), served()]);
    assert_eq!(pay(&script.url("/x"), &[]).code, 0);
}

#[test]
fn the_network_can_be_chosen() {
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), served()]);
    assert_eq!((pay(&script.url("/x"), &["--network", "base"]).code, script.got().len()), (4, 1));
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), served()]);
    assert_eq!(pay(&script.url("/x"), &["--network", "base-sepolia"]).code, 0);
}

#[test]
fn a_redirect_is_followed_before_a_payment_and_never_with_one() {
    let script = Script::start(vec![Reply::new(307, "").with("location", "/new"), demand(&[offer("10000", USDC)]), served()]);
    assert_eq!(pay(&script.url("/old"), &[]).code, 0);
    assert_eq!(script.got()[2].line, "GET /new HTTP/1.1");

    let elsewhere = Script::start(vec![]);
    let redirect = Reply::new(307, "").with("location", elsewhere.url("/steal"));
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), redirect]);
    let ran = pay(&script.url("/x"), &[]);
    assert_eq!((ran.code, script.got().len(), elsewhere.got().len()), (1, 2, 0), "{}", ran.err);
}

#[test]
fn credentials_stay_with_their_host() {
    let elsewhere = Script::start(vec![Reply::new(200, "public")]);
    let script = Script::start(vec![Reply::new(302, "").with("location", elsewhere.url("/"))]);
    assert_eq!(pay(&script.url("/x"), &["-H", "authorization: Bearer t", "-H", "cookie: a=b", "-H", "x-mine: 1"]).code, 0);
    let got = elsewhere.got();
    assert_eq!((got[0].header("authorization"), got[0].header("cookie"), got[0].header("x-mine")), (None, None, Some("1")));
}

#[test]
fn a_second_402_is_a_refusal_and_nothing_is_signed_again() {
    let refusal = demand(&[offer("10000", USDC)]).with("PAYMENT-RESPONSE", receipt(false, Some("insufficient_funds")));
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), refusal]);
    let ran = pay(&script.url("/x"), &["--json"]);
    assert_eq!((ran.code, script.got().len()), (4, 2));
    assert!(ran.err.contains("insufficient_funds"), "{}", ran.err);
    let report = object(&ran);
    assert_eq!((&report["status"], &report["paid"], &report["payer"]), (&json!(402), &json!(false), &Value::Null));
}

#[test]
fn what_a_seller_says_cannot_steer_the_terminal() {
    let refusal = Reply::new(402, "{}").with("PAYMENT-RESPONSE", receipt(false, Some("\u{1b}[2Jgone")));
    let ran = pay(&Script::start(vec![demand(&[offer("10000", USDC)]), refusal]).url("/x"), &[]);
    assert!(ran.code == 4 && ran.err.contains("[2Jgone") && !ran.err.contains('\u{1b}'), "{:?}", ran.err);
}

#[test]
fn a_pending_settlement_is_said_so() {
    let body = json!({"error": "settlement_pending", "message": "…", "payment": "pay_00000000000000000000000000000000"}).to_string();
    let hash = format!("0x{}", "cd".repeat(32));
    let response = json!({"success": false, "errorReason": "settlement_pending", "transaction": hash, "network": "eip155:84532"});
    let pending = Reply::new(503, body).with("retry-after", "2").with("PAYMENT-RESPONSE", base64_encode(response.to_string().as_bytes()));
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), pending]);
    let ran = pay(&script.url("/x"), &["--json"]);
    assert_eq!((ran.code, script.got().len()), (5, 2), "{}", ran.err);
    let report = object(&ran);
    assert_eq!((&report["paid"], &report["transaction"]), (&json!(false), &json!(hash)));
    assert!(report["payment"].as_str().unwrap().starts_with("pay_"), "what may have moved money can be looked up");
}

#[test]
fn other_endings_are_failures() {
    let ran = pay(&Script::start(vec![Reply::new(404, "no such thing")]).url("/x"), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "no such thing"));
    let ran = pay(&format!("http://127.0.0.1:{}/", common::free_port()), &["--json"]);
    assert_eq!((ran.code, &object(&ran)["status"]), (1, &Value::Null));
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), Reply::new(503, "{\"error\":\"store_unavailable\"}")]);
    assert_eq!(pay(&script.url("/x"), &[]).code, 1);
    let ran = pay(&Script::start(vec![Reply::new(402, "pay me")]).url("/x"), &[]);
    assert_eq!(ran.code, 4, "{}", ran.err);
}

#[test]
fn a_body_that_is_not_text_is_reported_in_base64() {
    let ran = pay(&Script::start(vec![Reply::new(200, [0xff, 0x00])]).url("/"), &["--json"]);
    let report = object(&ran);
    assert_eq!((&report["bodyBase64"], report.get("body")), (&json!("/wA="), None));
    let ran = pay(&Script::start(vec![Reply::new(200, [0xff, 0x00])]).url("/"), &[]);
    assert_eq!(ran.stdout, [0xff, 0x00]);
}

#[test]
fn a_wrong_command_line_is_told_before_anything_is_sent() {
    let script = Script::start(vec![]);
    let url = script.url("/x");
    let cases: &[(&[&str], &str)] = &[
        (&["ftp://x/"], "http://"),
        (&[&url, "-H", "nonsense"], "name: value"),
        (&[&url, "-H", "PAYMENT-SIGNATURE: x"], "payment-signature"),
        (&[&url, "-H", "x-payment: x"], "x-payment"),
        (&[&url, "-X", "G T"], "method"),
        (&[&url, "--max", "much"], "dollars"),
        (&[&url, "--max=-1"], "dollars"),
        (&[&url, "--network", "bass"], "bass"),
        (&[&url, "-d", "@/no/such/file"], "@/no/such/file"),
        (&[&url, "--key-file", "/no/such/key"], "/no/such/key"),
        (&[], "URL"),
    ];
    for (args, said) in cases {
        let ran = run(tollway().arg("pay").args(*args).env("TOLLWAY_BUYER_KEY", KEY));
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    let ran = run(tollway().args(["pay", &url]));
    assert!(ran.code == 2 && ran.err.contains("TOLLWAY_BUYER_KEY"), "{}", ran.err);
    let ran = run(tollway().args(["pay", &url]).env("TOLLWAY_BUYER_KEY", "0xnotakey"));
    assert!(ran.code == 2 && !ran.err.contains("notakey"), "{}", ran.err);
    assert!(script.got().is_empty());
}

#[test]
fn the_key_can_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{}\n", &KEY[2..])).unwrap();
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), served()]);
    let ran = run(tollway().args(["pay", &script.url("/x"), "--key-file"]).arg(&file));
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn what_was_paid_is_told_where_the_body_breaks_off() {
    // A chunk that is longer than what comes of it.
    let mut cut = served();
    cut.headers.push(("Transfer-Encoding", "chunked".into()));
    cut.body = b"ff\r\nthe goo".to_vec();
    let script = Script::start(vec![demand(&[offer("10000", USDC)]), cut]);
    let ran = pay(&script.url("/x"), &["--json"]);
    let report = object(&ran);
    assert_eq!((ran.code, &report["paid"], &report["body"]), (1, &json!(true), &Value::Null), "{}", ran.err);
    assert_eq!(report["amount"], "10000");
}
