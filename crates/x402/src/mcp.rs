//! The MCP transport (transports-v2/mcp.md): shapes only; what is done with them is the gateway's.

use crate::{PaymentPayload, PaymentRequired, encoding::Malformed, v1, v2};
use serde_json::{Value, json};

/// `params._meta` key of the payment.
pub const PAYMENT_META: &str = "x402/payment";
/// `result._meta` key of the receipt.
pub const RESPONSE_META: &str = "x402/payment-response";

/// Reads the payment of `params._meta["x402/payment"]`: the JSON object itself, of version 2 or 1.
/// The value must come from [`crate::encoding::json`]: duplicate keys are seen only there.
pub fn payment_from_value(value: &Value) -> Result<PaymentPayload, Malformed> {
    if value.get("x402Version").and_then(Value::as_u64) == Some(1) { v1::payload_from_value(value) } else { v2::payload_from_value(value) }
}

/// `PaymentRequired` as the JSON object that MCP carries.
#[must_use]
pub fn required_value(required: &PaymentRequired) -> Value {
    json!(required)
}

/// The result of a `tools/call` that must be paid: an error whose `structuredContent` is `content`, with the same JSON as text.
#[must_use]
pub fn error_result(content: &Value) -> Value {
    json!({ "isError": true, "structuredContent": content, "content": [{ "type": "text", "text": content.to_string() }] })
}

#[cfg(test)]
mod tests;
