//! Protocol version 2 as JSON values: what the HTTP and MCP transports and the facilitator's interface share (x402 v2 §5).

use crate::{
    ExactPayload, Network, PaymentPayload, PaymentRequired, PaymentRequirements, ResourceInfo, Scheme, SchemePayload, SettlementResponse,
    Version, encoding::Malformed, exact::by_eip3009, object::Object,
};
use serde_json::{Map, Value, json};

/// Reads a `PaymentPayload` (§5.2). Unknown fields are ignored.
///
/// A scheme, network or transfer method that is not built is no error here: [`SchemePayload::Other`], and then the rest of `accepted` need not hold.
pub fn payload_from_value(value: &Value) -> Result<PaymentPayload, Malformed> {
    let payload = Object::root(value)?;
    payload.version(2)?;
    let accepted = payload.object("accepted")?;
    let (scheme, network) = (accepted.string("scheme")?.to_owned(), accepted.string("network")?.to_owned());
    let body = payload.get("payload").ok_or_else(|| payload.wrong("payload", "an object is required"))?;
    let built = scheme == Scheme::Exact.as_str()
        && Network::parse(&network).is_ok_and(|network| network.chain_id().is_some())
        && by_eip3009(accepted.nullable_map("extra")?)
        && !is_permit2(body);
    let (accepted, scheme_payload) = if built {
        accepted.address("asset")?;
        accepted.address("payTo")?;
        (Some(requirements(&accepted)?), SchemePayload::Exact(ExactPayload::read(&payload.object("payload")?)?))
    } else {
        (requirements(&accepted).ok(), SchemePayload::Other(body.clone()))
    };
    Ok(PaymentPayload {
        version: Version::V2,
        scheme,
        network,
        accepted,
        resource: payload.get("resource").is_some().then(|| payload.object("resource").and_then(|r| resource(&r))).transpose()?,
        payload: scheme_payload,
        extensions: payload.nullable_map("extensions")?.cloned().unwrap_or_default(),
    })
}

/// Permit2's payload where the offer leaves the method open (scheme_exact_evm.md §2).
fn is_permit2(payload: &Value) -> bool {
    payload.get("authorization").is_none() && payload.get("permit2Authorization").is_some()
}

/// Writes a `PaymentPayload` (§5.2).
#[must_use]
pub fn payload_value(payload: &PaymentPayload) -> Value {
    let mut map = Map::new();
    map.insert("x402Version".to_owned(), json!(2));
    if let Some(resource) = &payload.resource {
        map.insert("resource".to_owned(), json!(resource));
    }
    if let Some(accepted) = &payload.accepted {
        map.insert("accepted".to_owned(), json!(accepted));
    }
    map.insert("payload".to_owned(), payload.payload.to_value());
    if !payload.extensions.is_empty() {
        map.insert("extensions".to_owned(), Value::Object(payload.extensions.clone()));
    }
    Value::Object(map)
}

/// Reads `PaymentRequirements` (§5.1.2) of any scheme and network.
pub fn requirements_from_value(value: &Value) -> Result<PaymentRequirements, Malformed> {
    requirements(&Object::root(value)?)
}

fn requirements(offer: &Object<'_>) -> Result<PaymentRequirements, Malformed> {
    Ok(PaymentRequirements {
        scheme: offer.string("scheme")?.to_owned(),
        network: offer.string("network")?.to_owned(),
        amount: offer.decimal("amount")?,
        asset: offer.string("asset")?.to_owned(),
        pay_to: offer.string("payTo")?.to_owned(),
        max_timeout_seconds: offer.seconds("maxTimeoutSeconds")?,
        extra: offer.nullable_map("extra")?.cloned(),
    })
}

fn resource(object: &Object<'_>) -> Result<ResourceInfo, Malformed> {
    Ok(ResourceInfo {
        url: object.string("url")?.to_owned(),
        description: object.optional_string("description")?,
        mime_type: object.optional_string("mimeType")?,
    })
}

/// Reads a `PaymentRequired` (§5.1); one offer that cannot be read refuses the whole.
pub fn required_from_value(value: &Value) -> Result<PaymentRequired, Malformed> {
    let required = Object::root(value)?;
    required.version(2)?;
    Ok(PaymentRequired {
        error: required.nullable_string("error")?,
        resource: resource(&required.object("resource")?)?,
        accepts: required.objects("accepts")?.iter().map(requirements).collect::<Result<_, _>>()?,
        extensions: required.nullable_map("extensions")?.cloned().unwrap_or_default(),
    })
}

/// Reads a `SettlementResponse` (§5.3). `success` must be a JSON boolean.
pub fn settlement_from_value(value: &Value) -> Result<SettlementResponse, Malformed> {
    let response = Object::root(value)?;
    Ok(SettlementResponse {
        success: response.bool("success")?,
        error_reason: response.nullable_string("errorReason")?,
        payer: response.nullable_string("payer")?,
        transaction: response.string("transaction")?.to_owned(),
        network: response.string("network")?.to_owned(),
        amount: response.nullable_string("amount")?,
        payment: response.nullable_string("payment")?,
        extensions: response.nullable_map("extensions")?.cloned(),
    })
}

#[cfg(test)]
mod tests;
