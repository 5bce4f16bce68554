//! Protocol version 1, converted here and known nowhere else.

use crate::{PaymentPayload, PaymentRequired, PaymentRequirements, SettlementResponse, VerifyResponse, encoding::Malformed};
use serde_json::Value;

/// Decodes `X-PAYMENT`.
pub fn decode_payment(header: &[u8]) -> Result<PaymentPayload, Malformed> { todo!() }
/// Encodes for `X-PAYMENT` (the buyer's side); `None` where the network has no version 1 name.
pub fn encode_payment(payload: &PaymentPayload) -> Option<String> { todo!() }
/// The JSON body of a 402, listing only what version 1 clients can parse: `exact` by EIP-3009 on networks with a version 1 name.
/// The quote in `extra` stays out. With nothing to list, `accepts` is empty.
pub fn required_body(required: &PaymentRequired) -> Value { todo!() }
/// Reads a version 1 402 body (the buyer's side).
pub fn parse_required_body(body: &[u8]) -> Result<PaymentRequired, Malformed> { todo!() }
/// Encodes for `X-PAYMENT-RESPONSE`: as version 2, the network by its version 1 name.
pub fn encode_response(response: &SettlementResponse) -> String { todo!() }
/// The facilitator's side: `paymentPayload` and `paymentRequirements` of a version 1 request body.
pub fn payload_from_value(value: &Value) -> Result<PaymentPayload, Malformed> { todo!() }
pub fn requirements_from_value(value: &Value) -> Result<PaymentRequirements, Malformed> { todo!() }
pub fn settlement_value(response: &SettlementResponse) -> Value { todo!() }
pub fn verify_value(response: &VerifyResponse) -> Value { todo!() }
