//! What holds for every value: codecs invert each other, and decoding never panics.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value};
use x402::{
    Address, Authorization, B256, Bytes, ExactPayload, Network, PaymentPayload, PaymentRequired, PaymentRequirements, RequiredTemplate,
    ResourceInfo, SchemePayload, SettlementResponse, U256, Version, encoding, http, mcp, signature, v1,
};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::from), object(inner).prop_map(Value::Object)]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec((any::<String>(), value), 0..4).prop_map(Map::from_iter)
}

prop_compose! {
    fn number()(limbs: [u64; 4], small: u64, is_small: bool) -> U256 {
        if is_small { U256::from(small) } else { U256::from_limbs(limbs) }
    }
}

prop_compose! {
    fn exact()(from: [u8; 20], to: [u8; 20], value in number(), valid_after in number(), valid_before in number(), nonce: [u8; 32],
               signature in vec(any::<u8>(), 1..200)) -> ExactPayload {
        let authorization = Authorization { from: Address::from(from), to: Address::from(to), value, valid_after, valid_before, nonce: B256::from(nonce) };
        ExactPayload { signature: Bytes::from(signature), authorization }
    }
}

prop_compose! {
    fn resource()(url: String, description in option::of(any::<String>()), mime_type in option::of(any::<String>())) -> ResourceInfo {
        ResourceInfo { url, description, mime_type }
    }
}

prop_compose! {
    fn requirements()(chain: u64, amount in number(), asset: [u8; 20], pay_to: [u8; 20], max_timeout_seconds: u64,
                      extra in option::of(object(json_value()))) -> PaymentRequirements {
        let mut extra = extra;
        if let Some(extra) = &mut extra { extra.remove("assetTransferMethod"); }
        PaymentRequirements {
            scheme: "exact".to_owned(), network: Network::eip155(chain).to_string(), amount,
            asset: Address::from(asset).to_string(), pay_to: Address::from(pay_to).to_string(), max_timeout_seconds, extra,
        }
    }
}

prop_compose! {
    fn payment()(exact in exact(), accepted in requirements(), resource in option::of(resource()), extensions in object(json_value())) -> PaymentPayload {
        PaymentPayload {
            version: Version::V2, scheme: accepted.scheme.clone(), network: accepted.network.clone(), accepted: Some(accepted), resource,
            payload: SchemePayload::Exact(exact), extensions,
        }
    }
}

prop_compose! {
    fn required()(error in option::of(any::<String>()), resource in resource(), accepts in vec(requirements(), 0..4),
                  extensions in object(json_value())) -> PaymentRequired {
        PaymentRequired { error, resource, accepts, extensions }
    }
}

prop_compose! {
    fn response()(success: bool, error_reason in option::of(any::<String>()), payer in option::of(any::<String>()), transaction: String, network: String,
                  amount in option::of(any::<String>()), payment in option::of(any::<String>()), extensions in option::of(object(json_value()))) -> SettlementResponse {
        SettlementResponse { success, error_reason, payer, transaction, network, amount, payment, extensions }
    }
}

proptest! {
    #[test]
    fn payments_survive(payment in payment()) {
        let header = http::encode_payment(&payment);
        prop_assume!(header.len() <= http::MAX_PAYMENT_HEADER);
        prop_assert_eq!(http::decode_payment(header.as_bytes()), Ok(payment));
    }

    #[test]
    fn payments_of_version_1_survive(exact in exact(), name in prop::sample::select(vec!["base", "base-sepolia", "polygon", "peaq"])) {
        let network = Network::from_v1_name(name).unwrap().to_string();
        let payment = PaymentPayload {
            version: Version::V1, scheme: "exact".to_owned(), network, accepted: None, resource: None,
            payload: SchemePayload::Exact(exact), extensions: Map::new(),
        };
        prop_assert_eq!(v1::decode_payment(v1::encode_payment(&payment).unwrap().as_bytes()), Ok(payment));
    }

    #[test]
    fn offers_survive(required in required()) {
        prop_assert_eq!(http::decode_required(http::encode_required(&required).as_bytes()), Ok(required));
    }

    #[test]
    fn responses_survive(response in response()) {
        prop_assert_eq!(http::decode_response(http::encode_response(&response).as_bytes()), Ok(response));
    }

    #[test]
    fn templates_render_what_codecs_encode(required in required(), url: String, error: String, quote: String) {
        let quotes = vec![quote.as_str(); required.accepts.len()];
        let rendered = RequiredTemplate::new(&required).render(&url, &error, &quotes);
        let mut expected = required;
        expected.error = Some(error);
        expected.resource.url = url;
        for offer in &mut expected.accepts {
            offer.extra.get_or_insert_default().insert("quote".to_owned(), quote.clone().into());
        }
        let body: Value = serde_json::from_slice(&rendered.body).unwrap();
        prop_assert_eq!(body, v1::required_body(&expected));
        prop_assert_eq!(http::decode_required(&rendered.header), Ok(expected));
    }

    #[test]
    fn json_reads_what_serde_json_writes(value in json_value()) {
        prop_assert_eq!(encoding::json(value.to_string().as_bytes()), Ok(value));
    }

    #[test]
    fn decimals_survive(value in number()) {
        prop_assert_eq!(encoding::parse_decimal(&value.to_string()), Some(value));
    }

    #[test]
    fn a_decimal_that_is_read_is_written_the_same(text in "[+0-9eE. x]{0,6}") {
        if let Some(value) = encoding::parse_decimal(&text) {
            prop_assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn a_network_that_is_read_is_written_the_same(text in "(eip155|solana):[-+0-9a-zA-Z]{0,6}") {
        if let Ok(network) = Network::parse(&text) {
            prop_assert_eq!(network.chain_id().map_or_else(|| text.clone(), |id| Network::eip155(id).to_string()), text);
        }
    }

    #[test]
    fn decoding_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        let encoded = encoding::base64_encode(&bytes);
        for header in [&bytes[..], encoded.as_bytes()] {
            let _ = (http::decode_payment(header), http::decode_required(header), http::decode_response(header), v1::decode_payment(header));
        }
        let _ = (v1::parse_required_body(&bytes), signature::SignatureForm::parse(&Bytes::from(bytes)));
    }

    #[test]
    fn decoding_json_never_panics(payment in payment(), pointer in prop::sample::select(POINTERS.to_vec()), value in json_value()) {
        let mut json = encoding::json(&encoding::base64_decode(http::encode_payment(&payment).as_bytes()).unwrap()).unwrap();
        if let Some(place) = json.pointer_mut(pointer) {
            *place = value;
        }
        let _ = (mcp::payment_from_value(&json), v1::payload_from_value(&json), v1::requirements_from_value(&json));
    }

    #[test]
    fn signatures_with_the_wrapper_s_suffix_never_panic(bytes in vec(any::<u8>(), 0..300)) {
        let wrapped: Vec<u8> = bytes.into_iter().chain([0x64, 0x92].into_iter().cycle().take(32)).collect();
        let _ = signature::SignatureForm::parse(&Bytes::from(wrapped));
    }
}

const POINTERS: [&str; 9] = [
    "",
    "/x402Version",
    "/accepted",
    "/accepted/amount",
    "/accepted/extra",
    "/payload",
    "/payload/signature",
    "/payload/authorization",
    "/payload/authorization/nonce",
];
