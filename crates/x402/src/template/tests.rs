#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::{ResourceInfo, U256, encoding::base64_decode, http};
use serde_json::json;

fn offer(network: &str, extra: Value) -> PaymentRequirements {
    PaymentRequirements {
        scheme: "exact".to_owned(),
        network: network.to_owned(),
        amount: U256::from(10_000),
        asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e".to_owned(),
        pay_to: "0x209693Bc6afc0C5328bA36FaF03C514EF312287C".to_owned(),
        max_timeout_seconds: 60,
        extra: extra.as_object().cloned(),
    }
}

fn required() -> PaymentRequired {
    PaymentRequired {
        error: None,
        resource: ResourceInfo {
            url: "replaced".to_owned(),
            description: Some("Quarterly \"reports\" \\ 世界 \u{2028}\n".to_owned()),
            mime_type: Some("text/html".to_owned()),
        },
        accepts: vec![
            offer("eip155:84532", json!({ "name": "USDC", "version": "2", "quote": "stale" })),
            offer("eip155:1", json!({ "name": "USD Coin", "version": "2" })),
            offer("eip155:8453", Value::Null),
            offer("eip155:137", json!({ "assetTransferMethod": "permit2", "a": [1, { "b": null }] })),
        ],
        extensions: Map::from_iter([("vendor".to_owned(), json!({ "info": {} }))]),
    }
}

const URL: &str = "https://example.com/a\"b\\c?d=\u{fc}";
const ERROR: &str = "PAYMENT-SIGNATURE header is \"required\"";
const QUOTES: [&str; 4] = ["q0", "q\"1", "q2", "q3"];

fn written_out(mut required: PaymentRequired) -> PaymentRequired {
    required.error = Some(ERROR.to_owned());
    required.resource.url = URL.to_owned();
    for (offer, quote) in required.accepts.iter_mut().zip(QUOTES) {
        offer.extra.get_or_insert_default().insert("quote".to_owned(), json!(quote));
    }
    required
}

fn same(required: PaymentRequired) {
    let rendered = RequiredTemplate::new(&required).render(URL, ERROR, &QUOTES);
    let expected = written_out(required);
    assert_eq!(http::decode_required(&rendered.header).unwrap(), expected);
    let json: Value = serde_json::from_slice(&base64_decode(&rendered.header).unwrap()).unwrap();
    assert_eq!(json, serde_json::to_value(&expected).unwrap());
    let body: Value = serde_json::from_slice(&rendered.body).unwrap();
    assert_eq!(body, v1::required_body(&expected));
}

#[test]
fn renders_what_the_codecs_would() {
    same(required());
}

#[test]
fn renders_the_barest() {
    let mut bare = required();
    bare.resource.description = None;
    bare.resource.mime_type = None;
    bare.extensions.clear();
    same(bare.clone());
    bare.accepts.truncate(1);
    same(bare.clone());
    bare.accepts.clear();
    same(bare);
}

#[test]
fn quotes_may_come_in_two_parts() {
    let template = RequiredTemplate::new(&required());
    let whole = template.render(URL, ERROR, &["ab\"cd", "e", "", "f"]);
    let rendered = template.prepare(ERROR, &["ab", "", "", "f"]).render(URL, &["\"cd", "e"]);
    assert_eq!(http::decode_required(&rendered.header).unwrap(), http::decode_required(&whole.header).unwrap());
    assert_eq!(rendered.body, whole.body);
}

#[test]
fn a_missing_quote_is_null_never_another_s() {
    let rendered = RequiredTemplate::new(&required()).render(URL, ERROR, &["only"]);
    let offers = http::decode_required(&rendered.header).unwrap().accepts;
    let quotes: Vec<_> = offers.iter().map(|offer| offer.extra.as_ref().unwrap()["quote"].clone()).collect();
    assert_eq!(quotes, [json!("only"), Value::Null, Value::Null, Value::Null]);
}
