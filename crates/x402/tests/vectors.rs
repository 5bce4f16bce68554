//! What the official npm and PyPI packages wrote and signed (testdata/vectors.json), read and reproduced here.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::Value;
use x402::{Authorization, Network, PaymentPayload, Proof, SchemePayload, Terms, eip712, encoding, exact, http, known, signature, v1};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap()
}

fn number(value: &Value, key: &str) -> U256 {
    encoding::parse_decimal(text(value, key)).unwrap()
}

fn word(value: &Value, key: &str) -> B256 {
    text(value, key).parse().unwrap()
}

fn authorization(value: &Value) -> Authorization {
    Authorization {
        from: text(value, "from").parse().unwrap(),
        to: text(value, "to").parse().unwrap(),
        value: number(value, "value"),
        valid_after: number(value, "validAfter"),
        valid_before: number(value, "validBefore"),
        nonce: word(value, "nonce"),
    }
}

#[test]
fn digests_are_those_of_the_official_libraries() {
    let vectors = vectors();
    for vector in list(&vectors, "digests") {
        let domain = &vector["domain"];
        let contract: Address = text(domain, "verifyingContract").parse().unwrap();
        let separator =
            eip712::domain_separator(text(domain, "name"), text(domain, "version"), text(domain, "chainId").parse().unwrap(), contract);
        assert_eq!(separator, word(vector, "domainSeparator"));
        let authorization = authorization(&vector["authorization"]);
        assert_eq!(eip712::transfer_struct_hash(&authorization), word(vector, "structHash"));
        assert_eq!(eip712::transfer_digest(&separator, &authorization), word(vector, "digest"));
        let signature: [u8; 65] = hex::decode_to_array(text(vector, "signature")).unwrap();
        assert_eq!(signature::recover(&word(vector, "digest"), &signature), Some(authorization.from));
    }
    assert_eq!(list(&vectors, "digests").len(), 24);
}

fn headers(name: &str) -> Vec<Value> {
    let found: Vec<_> = list(&vectors(), "headers").iter().filter(|vector| vector["header"] == name).cloned().collect();
    assert!(!found.is_empty(), "{name}");
    found
}

/// Decodes to the same meaning as `json`, and encodes back to the same JSON.
#[test]
fn payment_required_is_read_and_written_alike() {
    for vector in headers("PAYMENT-REQUIRED") {
        let required = http::decode_required(text(&vector, "encoded").as_bytes()).unwrap();
        let ours = encoding::base64_decode(http::encode_required(&required).as_bytes()).unwrap();
        assert_eq!(encoding::json(&ours).unwrap(), vector["json"], "{}", vector["by"]);
    }
}

#[test]
fn payments_of_version_2_are_read_and_written_alike() {
    for vector in headers("PAYMENT-SIGNATURE") {
        let payload = http::decode_payment(text(&vector, "encoded").as_bytes()).unwrap();
        let ours = encoding::base64_decode(http::encode_payment(&payload).as_bytes()).unwrap();
        assert_eq!(encoding::json(&ours).unwrap(), vector["json"], "{}", vector["by"]);
        assert_eq!(
            payer(&payload, payload.accepted.as_ref().map(|accepted| Terms::try_from(accepted).unwrap().asset)),
            text(&vector, "payer")
        );
    }
}

#[test]
fn payments_of_version_1_are_read_and_written_alike() {
    for vector in headers("X-PAYMENT") {
        let payload = v1::decode_payment(text(&vector, "encoded").as_bytes()).unwrap();
        let ours = encoding::base64_decode(v1::encode_payment(&payload).unwrap().as_bytes()).unwrap();
        assert_eq!(encoding::json(&ours).unwrap(), vector["json"], "{}", vector["by"]);
        assert_eq!(payer(&payload, None), text(&vector, "payer"));
    }
}

/// Who signed; the asset is the offered one, else its network's USDC.
fn payer(payload: &PaymentPayload, offered: Option<x402::AssetId>) -> String {
    let SchemePayload::Exact(signed) = &payload.payload else { panic!("{payload:?}") };
    let usdc = &known::network(&Network::parse(&payload.network).unwrap()).unwrap().usdc;
    assert!(offered.is_none_or(|id| id == usdc.id));
    let separator = eip712::domain_separator(&usdc.name, &usdc.version, usdc.id.network.chain_id().unwrap(), usdc.id.address);
    let payment = exact::authenticate(signed, usdc, &separator).unwrap();
    assert_eq!(payment.proof(), Proof::Recovered);
    assert_eq!(payment.key().payer, payment.payer());
    payment.payer().to_string()
}

#[test]
fn receipts_are_read_and_written_alike() {
    for vector in headers("PAYMENT-RESPONSE") {
        let response = http::decode_response(text(&vector, "encoded").as_bytes()).unwrap();
        let ours = encoding::base64_decode(http::encode_response(&response).as_bytes()).unwrap();
        let mut expected = vector["json"].clone();
        // Free text for people, which we neither keep nor send.
        expected.as_object_mut().unwrap().remove("errorMessage");
        assert_eq!(encoding::json(&ours).unwrap(), expected, "{}", vector["by"]);
    }
    for vector in headers("X-PAYMENT-RESPONSE") {
        let mut response = http::decode_response(text(&vector, "encoded").as_bytes()).unwrap();
        response.network = Network::from_v1_name(&response.network).unwrap().to_string();
        let ours = encoding::base64_decode(v1::encode_response(&response).as_bytes()).unwrap();
        assert_eq!(encoding::json(&ours).unwrap(), vector["json"], "{}", vector["by"]);
    }
}

/// Byte for byte: where keys and their order are ours to choose, we write what the official server writes.
#[test]
fn base64_and_json_are_written_byte_for_byte() {
    for vector in headers("PAYMENT-REQUIRED").iter().filter(|vector| text(vector, "by").starts_with("@x402")) {
        let encoded = text(vector, "encoded");
        let bytes = encoding::base64_decode(encoded.as_bytes()).unwrap();
        assert_eq!(encoding::base64_encode(&bytes), encoded);
    }
    let plain = headers("PAYMENT-REQUIRED").into_iter().find(|vector| text(vector, "by").starts_with("@x402")).unwrap();
    let required = http::decode_required(text(&plain, "encoded").as_bytes()).unwrap();
    assert_eq!(http::encode_required(&required), text(&plain, "encoded"));
}

/// A version 1 client's own example of an offer survives the way through our types.
#[test]
fn version_1_offers_are_converted_both_ways() {
    for vector in headers("X-PAYMENT") {
        let body = serde_json::to_vec(&vector["paymentRequired"]).unwrap();
        let mut required = v1::parse_required_body(&body).unwrap();
        for extra in required.accepts.iter_mut().filter_map(|offer| offer.extra.as_mut()) {
            extra.retain(|key, _| key == "name" || key == "version");
        }
        let ours = v1::required_body(&required);
        assert_eq!(v1::parse_required_body(&serde_json::to_vec(&ours).unwrap()).unwrap(), required);
        for (offer, theirs) in list(&ours, "accepts").iter().zip(list(&vector["paymentRequired"], "accepts")) {
            for key in
                ["scheme", "network", "maxAmountRequired", "resource", "description", "mimeType", "payTo", "maxTimeoutSeconds", "asset"]
            {
                assert_eq!(offer[key], theirs[key], "{key}");
            }
            assert_eq!(offer["extra"]["name"], theirs["extra"]["name"]);
            assert!(offer.get("outputSchema").is_none(), "null is no record in the client's schema");
        }
    }
}

/// Every version 1 name that the closed list of npm's x402 knows, except those that the packages disagree on.
#[test]
fn version_1_names_are_the_official_ones() {
    let vectors = vectors();
    let lists = ["x402 (npm)", "@x402/evm (npm)", "x402 (pypi)"].map(|name| vectors["networksV1"][name].as_object().unwrap().clone());
    for (name, id) in &lists[0] {
        let agreed = lists.iter().all(|list| list.get(name) == Some(id));
        let ours = Network::from_v1_name(name).and_then(|network| network.chain_id());
        assert_eq!(ours, id.as_u64().filter(|_| agreed), "{name}");
    }
    for name in lists[1].keys().chain(lists[2].keys()).filter(|name| !lists[0].contains_key(*name)) {
        assert_eq!(Network::from_v1_name(name), None, "x402-fetch throws on {name}");
    }
}

#[test]
fn known_assets_are_the_official_ones() {
    let vectors = vectors();
    let mut compared = 0;
    for known in known::networks() {
        for package in ["npm", "pypi"] {
            let Some(assets) = vectors["assets"][package][known.network.as_str()].as_array() else { continue };
            let usdc = &known.usdc;
            let theirs = assets.iter().find(|asset| asset["asset"] == usdc.id.address.to_string()).unwrap();
            assert_eq!((text(theirs, "name"), text(theirs, "version")), (usdc.name.as_str(), usdc.version.as_str()), "{}", known.name);
            assert_eq!(theirs["decimals"], usdc.decimals);
            compared += 1;
        }
    }
    assert_eq!(compared, 14);
}
