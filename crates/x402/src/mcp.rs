//! The MCP transport (transports-v2/mcp.md): shapes only; what is done with them is the gateway's.

use crate::{PaymentPayload, encoding::Malformed};
use serde_json::Value;

/// `params._meta` key of the payment.
pub const PAYMENT_META: &str = "x402/payment";
/// `result._meta` key of the receipt.
pub const RESPONSE_META: &str = "x402/payment-response";

/// Reads the payment of `params._meta["x402/payment"]`: the JSON object itself, of version 2 or 1.
pub fn payment_from_value(value: &Value) -> Result<PaymentPayload, Malformed> { todo!() }
