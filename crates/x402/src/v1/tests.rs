#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::U256;

fn offer(scheme: &str, network: &str, extra: Value) -> PaymentRequirements {
    PaymentRequirements {
        scheme: scheme.to_owned(),
        network: network.to_owned(),
        amount: U256::from(10_000),
        asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e".to_owned(),
        pay_to: "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".to_owned(),
        max_timeout_seconds: 60,
        extra: extra.as_object().cloned(),
    }
}

fn required(accepts: Vec<PaymentRequirements>) -> PaymentRequired {
    let resource = ResourceInfo { url: "https://api.example.com/a".to_owned(), description: None, mime_type: None };
    PaymentRequired { error: Some("pay".to_owned()), resource, accepts, extensions: Map::new() }
}

#[test]
fn the_body_is_what_the_official_client_parses() {
    let body = required_body(&required(vec![offer("exact", "eip155:84532", json!({ "name": "USDC", "version": "2", "quote": "secret" }))]));
    let expected = json!({
        "x402Version": 1,
        "error": "pay",
        "accepts": [{
            "scheme": "exact",
            "network": "base-sepolia",
            "maxAmountRequired": "10000",
            "resource": "https://api.example.com/a",
            "description": "",
            "mimeType": "",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
            "maxTimeoutSeconds": 60,
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "extra": { "name": "USDC", "version": "2" },
        }],
    });
    assert_eq!(body, expected);
}

/// One offer that it does not know and the official client pays none.
#[test]
fn only_what_the_official_client_knows_is_listed() {
    let unlisted = vec![
        offer("upto", "eip155:84532", Value::Null),
        offer("exact", "eip155:84532", json!({ "assetTransferMethod": "permit2" })),
        offer("exact", "eip155:1", Value::Null),
        offer("exact", "eip155:31337", Value::Null),
        offer("exact", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", Value::Null),
    ];
    assert_eq!(required_body(&required(unlisted))["accepts"], json!([]));
    assert_eq!(required_body(&required(vec![]))["accepts"], json!([]));
    let listed = required_body(&required(vec![offer("exact", "eip155:8453", json!({ "assetTransferMethod": "eip3009" }))]));
    assert_eq!(listed["accepts"][0]["network"], json!("base"));
}

#[test]
fn bodies_of_others_are_read() {
    let text = r#"{"x402Version":1,"error":null,"accepts":[{"scheme":"exact","network":"solana","maxAmountRequired":"7","resource":"https://a/b",
        "description":"d","mimeType":null,"outputSchema":null,"payTo":"x","maxTimeoutSeconds":60,"asset":"y","extra":null}]}"#;
    let required = parse_required_body(text.as_bytes()).unwrap();
    assert_eq!((required.accepts[0].network.as_str(), required.accepts[0].amount), ("solana", U256::from(7)));
    assert_eq!(
        (required.resource.url.as_str(), required.resource.description.as_deref(), required.resource.mime_type),
        ("https://a/b", Some("d"), None)
    );
    for broken in [
        "",
        "{}",
        "[]",
        r#"{"x402Version":2,"accepts":[]}"#,
        r#"{"x402Version":1}"#,
        r#"{"x402Version":1,"accepts":[{}]}"#,
        r#"{"x402Version":1,"accepts":[1]}"#,
    ] {
        assert!(parse_required_body(broken.as_bytes()).is_err(), "{broken}");
    }
}

#[test]
fn networks_without_a_name_have_no_payment() {
    let payment = |network: &str| PaymentPayload {
        version: Version::V1,
        scheme: "exact".to_owned(),
        network: network.to_owned(),
        accepted: None,
        resource: None,
        payload: SchemePayload::Other(json!({})),
        extensions: Map::new(),
    };
    assert!(encode_payment(&payment("eip155:8453")).is_some());
    assert_eq!(encode_payment(&payment("eip155:1")), None);
    assert_eq!(encode_payment(&payment("base")), None);
}

#[test]
fn receipts_name_the_network_in_the_old_way() {
    let response = |network: &str| SettlementResponse {
        success: true,
        error_reason: None,
        payer: None,
        transaction: String::new(),
        network: network.to_owned(),
        amount: None,
        payment: None,
        extensions: None,
    };
    assert_eq!(settlement_value(&response("eip155:8453"))["network"], json!("base"));
    assert_eq!(settlement_value(&response("eip155:1"))["network"], json!("eip155:1"));
}

#[test]
fn verdicts_are_the_same_in_both_versions() {
    let refused = VerifyResponse { is_valid: false, invalid_reason: Some("invalid_network".to_owned()), payer: None };
    assert_eq!(verify_value(&refused), json!({ "isValid": false, "invalidReason": "invalid_network" }));
}
