#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::Version;

fn payment(version: u64) -> Value {
    let payload = json!({
        "signature": format!("0x{}", "11".repeat(65)),
        "authorization": {
            "from": "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23", "to": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "value": "10000",
            "validAfter": "0", "validBefore": "1767225660", "nonce": format!("0x{}", "22".repeat(32)),
        },
    });
    let accepted = json!({
        "scheme": "exact", "network": "eip155:84532", "amount": "10000", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "maxTimeoutSeconds": 60,
    });
    json!({ "x402Version": version, "scheme": "exact", "network": "base-sepolia", "accepted": accepted, "payload": payload })
}

#[test]
fn payments_of_both_versions_are_read() {
    assert_eq!(payment_from_value(&payment(1)).unwrap().version, Version::V1);
    assert_eq!(payment_from_value(&payment(2)).unwrap().version, Version::V2);
    assert_eq!(payment_from_value(&payment(1)).unwrap().payload, payment_from_value(&payment(2)).unwrap().payload);
}

#[test]
fn other_versions_are_refused() {
    assert_eq!(payment_from_value(&payment(3)), Err(Malformed::Version("3".to_owned())));
    for value in [json!(null), json!("text"), json!([]), json!({})] {
        assert!(payment_from_value(&value).is_err(), "{value}");
    }
}

#[test]
fn a_refusal_stands_as_object_and_as_text() {
    let required = PaymentRequired {
        error: Some("Payment required".to_owned()),
        resource: crate::ResourceInfo { url: "mcp://tool/analysis".to_owned(), description: None, mime_type: None },
        accepts: vec![],
        extensions: serde_json::Map::new(),
    };
    let result = error_result(&required_value(&required));
    assert_eq!(result["isError"], json!(true));
    assert_eq!(
        result["structuredContent"],
        json!({ "x402Version": 2, "error": "Payment required", "resource": { "url": "mcp://tool/analysis" }, "accepts": [] })
    );
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), result["structuredContent"]);
    assert_eq!(result["content"][0]["type"], json!("text"));
}
