//! Attack A4: one authorization under many spellings is refused, or is one payment.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};
use x402::{PaymentKey, PaymentPayload, SchemePayload, encoding, exact, http, known, network::Network, v1};

const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn signed() -> Value {
    let vectors: Value = serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
    let headers = vectors["headers"].as_array().unwrap();
    headers.iter().find(|vector| vector["header"] == "PAYMENT-SIGNATURE").unwrap()["json"].clone()
}

/// What a spelling comes to.
#[derive(Debug, PartialEq)]
enum Reading {
    Refused,
    Payment(PaymentKey),
}

fn read(decoded: Result<PaymentPayload, encoding::Malformed>) -> Reading {
    let Ok(PaymentPayload { payload: SchemePayload::Exact(exact), network, .. }) = decoded else { return Reading::Refused };
    let usdc = &known::network(&Network::parse(&network).unwrap()).unwrap().usdc;
    let separator = x402::eip712::domain_separator(&usdc.name, &usdc.version, usdc.id.network.chain_id().unwrap(), usdc.id.address);
    match exact::authenticate(&exact, usdc, &separator) {
        Ok(payment) => Reading::Payment(payment.key().clone()),
        Err(_) => Reading::Refused,
    }
}

fn header(text: &str) -> Reading {
    read(http::decode_payment(encoding::base64_encode(text.as_bytes()).as_bytes()))
}

fn edited(pointer: &str, edit: impl FnOnce(&mut Value)) -> Reading {
    let mut payment = signed();
    edit(payment.pointer_mut(pointer).unwrap());
    header(&payment.to_string())
}

fn respelt(pointer: &str, spell: impl FnOnce(&str) -> String) -> Reading {
    edited(pointer, |value| *value = json!(spell(value.as_str().unwrap())))
}

fn reversed(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members: Vec<_> = map.iter().rev().map(|(key, value)| format!("{}:{}", json!(key), reversed(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

fn upper(hex: &str) -> String {
    format!("0x{}", hex[2..].to_uppercase())
}

fn mirrored(signature: &str) -> String {
    let number = |hex: &str| x402::U256::from_str_radix(hex, 16).unwrap();
    let v = if signature.ends_with("1b") { "1c" } else { "1b" };
    format!("{}{:064x}{v}", &signature[..66], number(ORDER) - number(&signature[66..130]))
}

fn compact(signature: &str) -> String {
    let s = x402::U256::from_str_radix(&signature[66..130], 16).unwrap();
    let parity = x402::U256::from(u8::from(signature.ends_with("1c"))) << 255;
    format!("{}{:064x}", &signature[..66], s | parity)
}

/// Other bytes, the same payment.
fn accepted() -> Vec<(&'static str, Reading)> {
    let payment = signed();
    let text = payment.to_string();
    let older = json!({ "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payment["payload"] }).to_string();
    vec![
        ("as sent", header(&text)),
        ("indented", header(&serde_json::to_string_pretty(&payment).unwrap())),
        ("keys reversed", header(&reversed(&payment))),
        ("a blank before", header(&format!(" {text}"))),
        ("a newline behind", header(&format!("{text}\r\n\t"))),
        ("an escaped key", header(&text.replace("\"nonce\"", "\"\\u006eonce\""))),
        ("an escaped digit", header(&text.replace("\"value\":\"1", "\"value\":\"\\u0031"))),
        ("nonce in capitals", respelt("/payload/authorization/nonce", upper)),
        ("payer in lower case", respelt("/payload/authorization/from", str::to_lowercase)),
        ("payer in capitals", respelt("/payload/authorization/from", upper)),
        ("payee in lower case", respelt("/payload/authorization/to", str::to_lowercase)),
        ("signature in capitals", respelt("/payload/signature", upper)),
        ("v as 0 or 1", respelt("/payload/signature", |s| format!("{}{}", &s[..130], if s.ends_with("1b") { "00" } else { "01" }))),
        ("compact, for a contract to judge", respelt("/payload/signature", compact)),
        ("a byte behind the signature", respelt("/payload/signature", |s| format!("{s}00"))),
        ("another signature", respelt("/payload/signature", |s| s.replace('7', "8"))),
        ("an unknown key", edited("", |all| all["comment"] = json!("the same"))),
        ("an unknown key in the authorization", edited("/payload/authorization", |auth| auth["comment"] = json!(1))),
        ("an extension", edited("", |all| all["extensions"] = json!({ "vendor": {} }))),
        ("null extensions", edited("", |all| all["extensions"] = Value::Null)),
        ("another resource", edited("", |all| all["resource"] = json!({ "url": "http://127.0.0.1/elsewhere" }))),
        ("no resource", edited("", |all| drop(all.as_object_mut().unwrap().remove("resource")))),
        ("offer in lower case", respelt("/accepted/asset", str::to_lowercase)),
        ("offer with another time", edited("/accepted/maxTimeoutSeconds", |seconds| *seconds = json!(61))),
        ("offer without extra", edited("/accepted", |offer| drop(offer.as_object_mut().unwrap().remove("extra")))),
        ("offer with the method named", edited("/accepted/extra", |extra| extra["assetTransferMethod"] = json!("eip3009"))),
        ("as version 1", read(v1::decode_payment(encoding::base64_encode(older.as_bytes()).as_bytes()))),
    ]
}

/// Other bytes, no payment.
fn refused() -> Vec<(&'static str, Reading)> {
    let text = signed().to_string();
    let plain = encoding::base64_encode(text.as_bytes());
    let raw = |value: String| read(http::decode_payment(value.as_bytes()));
    let auth = |key: &str| format!("/payload/authorization/{key}");
    let unpadded = plain.trim_end_matches('=').to_owned();
    vec![
        ("a byte order mark", header(&format!("\u{feff}{text}"))),
        ("a zero byte behind", header(&format!("{text}\0"))),
        ("two documents", header(&format!("{text}{text}"))),
        ("in an array", header(&format!("[{text}]"))),
        ("a nonce twice", header(&text.replace("\"nonce\":", "\"nonce\":\"0x11\",\"nonce\":"))),
        ("a nonce twice, once escaped", header(&text.replace("\"nonce\":", "\"\\u006eonce\":\"0x11\",\"nonce\":"))),
        ("a payload twice", header(&text.replace("\"payload\":", "\"payload\":{},\"payload\":"))),
        ("a version twice", header(&text.replace("\"x402Version\":2", "\"x402Version\":2,\"x402Version\":2"))),
        ("version 2.0", header(&text.replace("\"x402Version\":2", "\"x402Version\":2.0"))),
        ("version 2e0", header(&text.replace("\"x402Version\":2", "\"x402Version\":2e0"))),
        ("version as text", edited("/x402Version", |version| *version = json!("2"))),
        ("version 1 in this header", edited("/x402Version", |version| *version = json!(1))),
        ("version 3", edited("/x402Version", |version| *version = json!(3))),
        ("version 2 in the old header", read(v1::decode_payment(plain.as_bytes()))),
        ("an unpaired surrogate", header(&text.replace("\"x402Version\"", "\"\\ud800\":1,\"x402Version\""))),
        ("base64 without padding", raw(if unpadded == plain { unpadded + "=" } else { unpadded })),
        ("base64 padded too much", raw(format!("{plain}="))),
        ("a blank inside", raw(format!("{} {}", &plain[..40], &plain[40..]))),
        ("in two parts", raw(format!("{},{}", &plain[..40], &plain[40..]))),
        ("quoted", raw(format!("\"{plain}\""))),
        ("JSON without base64", raw(text.clone())),
        ("base64 twice", raw(encoding::base64_encode(plain.as_bytes()))),
        ("nonce with 0X", respelt(&auth("nonce"), |n| n.replace("0x", "0X"))),
        ("nonce without 0x", respelt(&auth("nonce"), |n| n[2..].to_owned())),
        ("nonce too long", respelt(&auth("nonce"), |n| n.replace("0x", "0x00"))),
        ("nonce without a leading zero", respelt(&auth("nonce"), |n| format!("0x{}", &n[3..]))),
        ("value with a zero in front", respelt(&auth("value"), |v| format!("0{v}"))),
        ("value with a sign", respelt(&auth("value"), |v| format!("+{v}"))),
        ("value in hex", respelt(&auth("value"), |_| "0x2710".to_owned())),
        ("value with an exponent", respelt(&auth("value"), |_| "1e4".to_owned())),
        ("value with a point", respelt(&auth("value"), |v| format!("{v}.0"))),
        ("value with a blank", respelt(&auth("value"), |v| format!(" {v}"))),
        ("value as a number", edited(&auth("value"), |value| *value = json!(10_000))),
        ("validAfter 00", respelt(&auth("validAfter"), |v| format!("0{v}"))),
        ("validBefore as a number", edited(&auth("validBefore"), |value| *value = json!(1_767_225_660))),
        ("payer without 0x", respelt(&auth("from"), |a| a[2..].to_owned())),
        ("the other s", respelt("/payload/signature", mirrored)),
        ("v as 29", respelt("/payload/signature", |s| format!("{}1d", &s[..130]))),
        ("signature without 0x", respelt("/payload/signature", |s| s[2..].to_owned())),
        ("an odd digit behind the signature", respelt("/payload/signature", |s| format!("{s}0"))),
        ("network with a leading zero", respelt("/accepted/network", |n| n.replace(':', ":0"))),
        ("network by its old name", respelt("/accepted/network", |_| "base-sepolia".to_owned())),
        ("scheme in capitals", respelt("/accepted/scheme", str::to_uppercase)),
    ]
}

#[test]
fn every_spelling_is_one_payment_or_none() {
    let accepted = accepted();
    let refused = refused();
    assert!(accepted.len() + refused.len() >= 40);
    let Reading::Payment(key) = &accepted[0].1 else { panic!("the payment itself is refused") };
    for (what, reading) in &accepted {
        assert_eq!(reading, &Reading::Payment(key.clone()), "{what}");
    }
    for (what, reading) in &refused {
        assert_eq!(reading, &Reading::Refused, "{what}");
    }
}
