#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn refused_at<T: std::fmt::Debug>(result: Result<T, Malformed>, path: &str) {
    match result {
        Err(Malformed::Field { field, .. }) => assert_eq!(field, path),
        other => panic!("{path}: {other:?}"),
    }
}

/// Attack A5: only `true` is success.
#[test]
fn success_is_a_boolean() {
    let answer = |success: Value| settlement_from_value(&json!({ "success": success, "transaction": "", "network": "eip155:8453" }));
    assert!(answer(json!(true)).unwrap().success);
    assert!(!answer(json!(false)).unwrap().success);
    for other in [json!("true"), json!(1), Value::Null, json!({})] {
        refused_at(answer(other), "success");
    }
    refused_at(settlement_from_value(&json!({ "transaction": "", "network": "eip155:8453" })), "success");
}

#[test]
fn answers_may_carry_nulls_where_fields_are_optional() {
    let nulls = json!({ "success": true, "transaction": "0x1", "network": "eip155:8453", "errorReason": null, "payer": null, "amount": null, "payment": null, "extensions": null, "x": 1 });
    assert_eq!(settlement_from_value(&nulls).unwrap().payer, None);
    for (key, path) in [("transaction", "transaction"), ("network", "network")] {
        let mut without = nulls.clone();
        without[key] = Value::Null;
        refused_at(settlement_from_value(&without), path);
    }
}

#[test]
fn the_faulty_offer_is_named() {
    let good = json!({ "scheme": "exact", "network": "eip155:8453", "amount": "1", "asset": "a", "payTo": "b", "maxTimeoutSeconds": 60 });
    let mut bad = good.clone();
    bad["amount"] = json!("1.5");
    let required = |accepts: Value| json!({ "x402Version": 2, "resource": { "url": "u" }, "accepts": accepts });
    assert_eq!(required_from_value(&required(json!([good, good]))).unwrap().accepts.len(), 2);
    refused_at(required_from_value(&required(json!([good, bad]))), "accepts[1].amount");
    refused_at(required_from_value(&required(json!([good, 7]))), "accepts[1]");
    refused_at(required_from_value(&required(json!({}))), "accepts");
    refused_at(requirements_from_value(&bad), "amount");
}
