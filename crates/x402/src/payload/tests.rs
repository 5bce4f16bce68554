#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::{U256, encoding::Malformed, http, v1, v2};
use serde_json::json;

const SIGNATURE_BYTES: usize = 65;

fn exact() -> Value {
    json!({
        "signature": format!("0x{}", "11".repeat(SIGNATURE_BYTES)),
        "authorization": {
            "from": "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23",
            "to": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
            "value": "10000",
            "validAfter": "0",
            "validBefore": "1767225660",
            "nonce": format!("0x{}", "22".repeat(32)),
        },
    })
}

fn second() -> Value {
    json!({
        "x402Version": 2,
        "resource": { "url": "https://api.example.com/a", "description": "A", "mimeType": "text/html" },
        "accepted": {
            "scheme": "exact",
            "network": "eip155:84532",
            "amount": "10000",
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
            "maxTimeoutSeconds": 60,
            "extra": { "name": "USDC", "version": "2", "quote": "q" },
        },
        "payload": exact(),
        "extensions": { "vendor": { "info": {} } },
    })
}

fn first() -> Value {
    json!({ "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": exact() })
}

/// The value at a JSON pointer set, or removed where there is none.
fn changed(mut value: Value, pointer: &str, to: Option<Value>) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let object = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match to {
        Some(to) => object.insert(key.to_owned(), to),
        None => object.remove(key),
    };
    value
}

fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn refused_at(result: Result<PaymentPayload, Malformed>, pointer: &str, to: &dyn std::fmt::Debug) {
    match result {
        Err(Malformed::Field { field, .. }) => assert_eq!(field, path(pointer), "{to:?}"),
        other => panic!("{pointer} = {to:?}: {other:?}"),
    }
}

#[test]
fn both_versions_are_decoded() {
    let payload = v2::payload_from_value(&second()).unwrap();
    assert_eq!((payload.version, payload.scheme.as_str(), payload.network.as_str()), (Version::V2, "exact", "eip155:84532"));
    let accepted = payload.accepted.unwrap();
    assert_eq!(accepted.amount, U256::from(10_000));
    assert_eq!(accepted.extra.unwrap()["quote"], json!("q"));
    assert_eq!(payload.resource.unwrap().url, "https://api.example.com/a");
    assert!(payload.extensions.contains_key("vendor"));

    let older = v1::payload_from_value(&first()).unwrap();
    assert_eq!((older.version, older.scheme.as_str(), older.network.as_str()), (Version::V1, "exact", "eip155:84532"));
    assert_eq!((older.accepted, older.resource), (None, None));
    assert_eq!(older.payload, payload.payload);
}

/// What every field of either version may not be: each is refused by its path.
#[test]
fn each_field_is_required_and_typed() {
    let text = ["/accepted/scheme", "/accepted/network"];
    let fields = [
        "/accepted",
        "/accepted/amount",
        "/accepted/asset",
        "/accepted/payTo",
        "/accepted/maxTimeoutSeconds",
        "/payload",
        "/payload/signature",
        "/payload/authorization",
        "/payload/authorization/from",
        "/payload/authorization/to",
        "/payload/authorization/value",
        "/payload/authorization/validAfter",
        "/payload/authorization/validBefore",
        "/payload/authorization/nonce",
    ];
    for field in fields.into_iter().chain(text) {
        for to in [None, Some(Value::Null), Some(json!(true)), Some(json!([])), Some(json!(1.5)), Some(json!(-1)), Some(json!("?"))] {
            if !(text.contains(&field) && to == Some(json!("?"))) {
                refused_at(v2::payload_from_value(&changed(second(), field, to.clone())), field, &to);
            }
        }
    }
    for field in ["/scheme", "/network", "/payload", "/payload/signature", "/payload/authorization", "/payload/authorization/nonce"] {
        for to in [None, Some(Value::Null), Some(json!(7)), Some(json!([]))] {
            refused_at(v1::payload_from_value(&changed(first(), field, to.clone())), field, &to);
        }
    }
}

#[test]
fn optional_fields_are_typed_too() {
    let refused = [
        ("/accepted/extra", json!("x")),
        ("/accepted/extra", json!([])),
        ("/extensions", json!([])),
        ("/extensions", json!("x")),
        ("/resource", json!("https://api.example.com/a")),
        ("/resource", Value::Null),
        ("/resource/url", json!(1)),
        ("/resource/description", json!(1)),
        ("/resource/mimeType", Value::Null),
    ];
    for (field, to) in refused {
        refused_at(v2::payload_from_value(&changed(second(), field, Some(to.clone()))), field, &to);
    }
    refused_at(v2::payload_from_value(&changed(second(), "/resource/url", None)), "/resource/url", &"absent");
    let absent_or_null = [
        ("/accepted/extra", None),
        ("/accepted/extra", Some(Value::Null)),
        ("/extensions", None),
        ("/extensions", Some(Value::Null)),
        ("/resource", None),
    ];
    for (field, to) in absent_or_null {
        assert!(v2::payload_from_value(&changed(second(), field, to.clone())).is_ok(), "{field} = {to:?}");
    }
}

/// Attack A14: only one spelling of a number is a number.
#[test]
fn amounts_are_canonical_decimals() {
    let too_much = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    let refused = [
        json!("010000"),
        json!("+1"),
        json!("-1"),
        json!("0x2710"),
        json!("1e4"),
        json!(10000),
        json!("10000.0"),
        json!(" 1"),
        json!(""),
        json!("１００"),
        json!(too_much),
        json!("1abc"),
        json!("USD 10"),
    ];
    for field in
        ["/accepted/amount", "/payload/authorization/value", "/payload/authorization/validAfter", "/payload/authorization/validBefore"]
    {
        for to in &refused {
            refused_at(v2::payload_from_value(&changed(second(), field, Some(to.clone()))), field, to);
        }
        for to in ["0", "10000", U256::MAX.to_string().as_str()] {
            assert!(v2::payload_from_value(&changed(second(), field, Some(json!(to)))).is_ok(), "{field} = {to}");
        }
    }
}

#[test]
fn hex_is_prefixed_and_of_its_length() {
    let address = "2c7536e3605d9c16a7a3d7b1898e529396a65c23";
    for field in ["/payload/authorization/from", "/payload/authorization/to", "/accepted/asset", "/accepted/payTo"] {
        for to in [
            address.to_owned(),
            format!("0X{address}"),
            format!("0x00{address}"),
            format!("0x{}", &address[2..]),
            format!("0x{}g", &address[1..]),
            format!("0x{address} "),
        ] {
            refused_at(v2::payload_from_value(&changed(second(), field, Some(json!(to)))), field, &to);
        }
        for to in [format!("0x{address}"), format!("0x{}", address.to_uppercase())] {
            assert!(v2::payload_from_value(&changed(second(), field, Some(json!(to)))).is_ok(), "{field} = {to}");
        }
    }
    let (nonce, field) = ("22".repeat(32), "/payload/authorization/nonce");
    for to in [nonce.clone(), format!("0x00{nonce}"), format!("0x{}", &nonce[2..]), format!("0x{}", &nonce[1..])] {
        refused_at(v2::payload_from_value(&changed(second(), field, Some(json!(to)))), field, &to);
    }
}

#[test]
fn signatures_are_bytes_up_to_a_limit() {
    let field = "/payload/signature";
    let of = |digits: usize| Some(json!(format!("0x{}", "a".repeat(digits))));
    for digits in [2, 130, 132, 2 * 8192] {
        assert!(v2::payload_from_value(&changed(second(), field, of(digits))).is_ok(), "{digits}");
    }
    for digits in [0, 1, 131, 2 * 8192 + 2] {
        refused_at(v2::payload_from_value(&changed(second(), field, of(digits))), field, &digits);
    }
}

#[test]
fn the_version_is_an_integer_and_the_header_s() {
    let sloppy = [
        None,
        Some(Value::Null),
        Some(json!("2")),
        Some(json!("1")),
        Some(json!(2.0)),
        Some(json!(1.0)),
        Some(json!(0)),
        Some(json!(3)),
        Some(json!(-2)),
        Some(json!(true)),
        Some(json!([2])),
    ];
    for to in sloppy {
        for result in [
            v2::payload_from_value(&changed(second(), "/x402Version", to.clone())),
            v1::payload_from_value(&changed(first(), "/x402Version", to.clone())),
        ] {
            assert!(matches!(result, Err(Malformed::Version(_))), "{to:?}");
        }
    }
    assert_eq!(v2::payload_from_value(&changed(second(), "/x402Version", Some(json!(1)))), Err(Malformed::Version("1".to_owned())));
    assert_eq!(v1::payload_from_value(&changed(first(), "/x402Version", Some(json!(2)))), Err(Malformed::Version("2".to_owned())));
    for text in [r#"{"x402Version":2e0}"#, r#"{"x402Version":2.0}"#, r#"{"x402Version":20e-1}"#] {
        let header = crate::encoding::base64_encode(text.as_bytes());
        assert!(matches!(http::decode_payment(header.as_bytes()), Err(Malformed::Version(_))), "{text}");
    }
}

/// Refused later, with a reason: grammar that we do not know is not broken grammar.
#[test]
fn what_is_not_built_is_other() {
    let newer = [
        ("/accepted/scheme", json!("upto")),
        ("/accepted/scheme", json!("")),
        ("/accepted/network", json!("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")),
        ("/accepted/network", json!("base-sepolia")),
        ("/accepted/network", json!("eip155:084532")),
        ("/accepted/extra", json!({ "assetTransferMethod": "permit2" })),
        ("/accepted/extra", json!({ "assetTransferMethod": "erc7710" })),
        ("/payload", json!({ "signature": "0x00", "permit2Authorization": {} })),
    ];
    for (field, to) in newer {
        let payload = v2::payload_from_value(&changed(second(), field, Some(to.clone()))).unwrap();
        assert!(matches!(payload.payload, SchemePayload::Other(_)), "{field} = {to}");
    }
    for (field, to) in [
        ("/scheme", json!("upto")),
        ("/network", json!("solana")),
        ("/network", json!("eip155:84532")),
        ("/network", json!("story")),
        ("/network", json!("Base")),
    ] {
        let payload = v1::payload_from_value(&changed(first(), field, Some(to.clone()))).unwrap();
        assert!(matches!(payload.payload, SchemePayload::Other(_)), "{field} = {to}");
        assert!(field != "/network" || json!(payload.network) == to, "the name stays as sent");
    }
}

#[test]
fn what_is_not_built_may_lack_what_we_demand() {
    let strange =
        json!({ "x402Version": 2, "accepted": { "scheme": "stream", "network": "eip155:8453", "amount": "0.01" }, "payload": {} });
    let payload = v2::payload_from_value(&strange).unwrap();
    assert_eq!((payload.scheme.as_str(), payload.accepted), ("stream", None));
}

#[test]
fn unknown_fields_are_ignored() {
    for pointer in ["/x", "/resource/x", "/accepted/x", "/payload/x", "/payload/authorization/x"] {
        let more = changed(second(), pointer, Some(json!({ "deep": [1] })));
        assert_eq!(v2::payload_from_value(&more), v2::payload_from_value(&second()), "{pointer}");
    }
    let more = changed(first(), "/extensions", Some(json!("anything")));
    assert_eq!(v1::payload_from_value(&more), v1::payload_from_value(&first()));
}

#[test]
fn a_permit2_payload_with_an_authorization_too_is_eip3009() {
    let both = changed(second(), "/payload/permit2Authorization", Some(json!({})));
    assert!(matches!(v2::payload_from_value(&both).unwrap().payload, SchemePayload::Exact(_)));
}

/// Attack B8: garbage is malformed, never "no payment".
#[test]
fn garbage_headers_are_malformed() {
    let base64 = |text: &str| crate::encoding::base64_encode(text.as_bytes()).into_bytes();
    let garbage = [
        vec![],
        b"garbage".to_vec(),
        vec![0xff; 40],
        base64(""),
        base64("null"),
        base64("[]"),
        base64("\"text\""),
        base64("{"),
        base64("{}"),
        vec![b'A'; http::MAX_PAYMENT_HEADER + 4],
    ];
    for header in garbage {
        assert!(http::decode_payment(&header).is_err(), "{header:?}");
        assert!(v1::decode_payment(&header).is_err(), "{header:?}");
    }
    let large = base64(&format!("{}{}", second(), " ".repeat(http::MAX_PAYMENT_HEADER)));
    assert_eq!(http::decode_payment(&large), Err(Malformed::TooLarge(http::MAX_PAYMENT_HEADER)));
    assert_eq!(v1::decode_payment(&large), Err(Malformed::TooLarge(http::MAX_PAYMENT_HEADER)));
}
