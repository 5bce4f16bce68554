//! Protocol version 1, converted here and known nowhere else.

use crate::{
    ExactPayload, Network, PaymentPayload, PaymentRequired, PaymentRequirements, ResourceInfo, Scheme, SchemePayload, SettlementResponse,
    VerifyResponse, Version,
    encoding::{self, Malformed},
    exact::by_eip3009,
    http::MAX_PAYMENT_HEADER,
    object::Object,
};
use serde_json::{Map, Value, json};

/// Decodes `X-PAYMENT`.
pub fn decode_payment(header: &[u8]) -> Result<PaymentPayload, Malformed> {
    payload_from_value(&encoding::header_json(header, MAX_PAYMENT_HEADER)?)
}

/// Encodes for `X-PAYMENT` (the buyer's side); `None` where the network has no version 1 name.
#[must_use]
pub fn encode_payment(payload: &PaymentPayload) -> Option<String> {
    Some(encoding::base64_encode(payload_value(payload)?.to_string().as_bytes()))
}

/// `PaymentPayload` of version 1; `None` where the network has no version 1 name.
#[must_use]
pub fn payload_value(payload: &PaymentPayload) -> Option<Value> {
    let network = Network::parse(&payload.network).ok()?.v1_name()?;
    Some(json!({ "x402Version": 1, "scheme": payload.scheme, "network": network, "payload": payload.payload.to_value() }))
}

/// The JSON body of a 402, listing only what version 1 clients can parse: `exact` by EIP-3009 on networks with a version 1 name.
/// The quote in `extra` stays out. With nothing to list, `accepts` is empty.
#[must_use]
pub fn required_body(required: &PaymentRequired) -> Value {
    let accepts: Vec<Value> = required.accepts.iter().filter_map(|offer| offer_value(offer, &required.resource)).collect();
    match &required.error {
        Some(error) => json!({ "x402Version": 1, "error": error, "accepts": accepts }),
        None => json!({ "x402Version": 1, "accepts": accepts }),
    }
}

/// One offer as the official client's schema demands it: `description` and `mimeType` are required strings there, and `outputSchema` must not be null.
pub(crate) fn offer_value(offer: &PaymentRequirements, resource: &ResourceInfo) -> Option<Value> {
    if offer.scheme != Scheme::Exact.as_str() || !by_eip3009(offer.extra.as_ref()) {
        return None;
    }
    let network = Network::parse(&offer.network).ok()?.v1_name()?;
    let domain = |key: &str| offer.extra.as_ref().and_then(|extra| extra.get(key)).map(|value| (key.to_owned(), value.clone()));
    let extra: Map<_, _> = ["name", "version"].into_iter().filter_map(domain).collect();
    Some(json!({
        "scheme": offer.scheme,
        "network": network,
        "maxAmountRequired": offer.amount.to_string(),
        "resource": resource.url,
        "description": resource.description.as_deref().unwrap_or_default(),
        "mimeType": resource.mime_type.as_deref().unwrap_or_default(),
        "payTo": offer.pay_to,
        "maxTimeoutSeconds": offer.max_timeout_seconds,
        "asset": offer.asset,
        "extra": extra,
    }))
}

/// Reads a version 1 402 body (the buyer's side). The resource is the first offer's; with no offers its URL is empty.
pub fn parse_required_body(body: &[u8]) -> Result<PaymentRequired, Malformed> {
    let value = encoding::json(body)?;
    let required = Object::root(&value)?;
    required.version(1)?;
    let offers = required.objects("accepts")?;
    let resource = offers.first().map(resource).transpose()?;
    Ok(PaymentRequired {
        error: required.nullable_string("error")?,
        resource: resource.unwrap_or(ResourceInfo { url: String::new(), description: None, mime_type: None }),
        accepts: offers.iter().map(requirements).collect::<Result<_, _>>()?,
        extensions: Map::new(),
    })
}

fn resource(offer: &Object<'_>) -> Result<ResourceInfo, Malformed> {
    Ok(ResourceInfo {
        url: offer.string("resource")?.to_owned(),
        description: offer.nullable_string("description")?.filter(|text| !text.is_empty()),
        mime_type: offer.nullable_string("mimeType")?.filter(|text| !text.is_empty()),
    })
}

/// Encodes for `X-PAYMENT-RESPONSE`: as version 2, the network by its version 1 name.
#[must_use]
pub fn encode_response(response: &SettlementResponse) -> String {
    encoding::base64_encode(settlement_value(response).to_string().as_bytes())
}

/// The facilitator's side: `paymentPayload` of a version 1 request body.
///
/// A scheme or network that is not built is no error: [`SchemePayload::Other`].
pub fn payload_from_value(value: &Value) -> Result<PaymentPayload, Malformed> {
    let payload = Object::root(value)?;
    payload.version(1)?;
    let scheme = payload.string("scheme")?.to_owned();
    let name = payload.string("network")?;
    let network = Network::from_v1_name(name);
    let body = payload.get("payload").ok_or_else(|| payload.wrong("payload", "an object is required"))?;
    let scheme_payload = if scheme == Scheme::Exact.as_str() && network.is_some() {
        SchemePayload::Exact(ExactPayload::read(&payload.object("payload")?)?)
    } else {
        SchemePayload::Other(body.clone())
    };
    Ok(PaymentPayload {
        version: Version::V1,
        scheme,
        network: network.map_or_else(|| name.to_owned(), |network| network.to_string()),
        accepted: None,
        resource: None,
        payload: scheme_payload,
        extensions: Map::new(),
    })
}

/// The facilitator's side: `paymentRequirements` of a version 1 request body, and one offer of a version 1 402. The network by its CAIP-2 id where
/// its name is known, else as sent.
pub fn requirements_from_value(value: &Value) -> Result<PaymentRequirements, Malformed> {
    requirements(&Object::root(value)?)
}

fn requirements(offer: &Object<'_>) -> Result<PaymentRequirements, Malformed> {
    let name = offer.string("network")?;
    Ok(PaymentRequirements {
        scheme: offer.string("scheme")?.to_owned(),
        network: Network::from_v1_name(name).map_or_else(|| name.to_owned(), |network| network.to_string()),
        amount: offer.decimal("maxAmountRequired")?,
        asset: offer.string("asset")?.to_owned(),
        pay_to: offer.string("payTo")?.to_owned(),
        max_timeout_seconds: offer.seconds("maxTimeoutSeconds")?,
        extra: offer.nullable_map("extra")?.cloned(),
    })
}

/// `SettlementResponse` with the network by its version 1 name, where it has one.
#[must_use]
pub fn settlement_value(response: &SettlementResponse) -> Value {
    let mut value = json!(response);
    if let Some(name) = Network::parse(&response.network).ok().and_then(|network| network.v1_name()) {
        value["network"] = json!(name);
    }
    value
}

/// `VerifyResponse`: the same in both versions.
#[must_use]
pub fn verify_value(response: &VerifyResponse) -> Value {
    json!(response)
}

#[cfg(test)]
mod tests;
