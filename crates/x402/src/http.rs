//! The HTTP transport (transports-v2/http.md, and version 1's): header names and codecs.

use crate::{
    PaymentPayload, PaymentRequired, SettlementResponse,
    encoding::{self, Malformed},
    v2,
};

pub const PAYMENT_REQUIRED: &str = "payment-required";
pub const PAYMENT_SIGNATURE: &str = "payment-signature";
pub const PAYMENT_RESPONSE: &str = "payment-response";
pub const X_PAYMENT: &str = "x-payment";
pub const X_PAYMENT_RESPONSE: &str = "x-payment-response";
/// Gateway to origin.
pub const PAYMENT_CONTEXT: &str = "payment-context";
/// Origin to gateway.
pub const PAYMENT_SETTLEMENT: &str = "payment-settlement";

/// The most of a payment header that is decoded, in bytes.
pub const MAX_PAYMENT_HEADER: usize = 16 * 1024;

/// The most of an answer's header that is decoded, in bytes: a seller may list many offers.
pub const MAX_ANSWER_HEADER: usize = 256 * 1024;

/// Decodes `PAYMENT-SIGNATURE` (version 2).
pub fn decode_payment(header: &[u8]) -> Result<PaymentPayload, Malformed> {
    v2::payload_from_value(&encoding::header_json(header, MAX_PAYMENT_HEADER)?)
}

/// Encodes for `PAYMENT-SIGNATURE`.
#[must_use]
pub fn encode_payment(payload: &PaymentPayload) -> String {
    encode(&v2::payload_value(payload))
}

/// Encodes for `PAYMENT-REQUIRED`. Where the same offers are sent again and again, [`crate::RequiredTemplate`] is faster.
#[must_use]
pub fn encode_required(required: &PaymentRequired) -> String {
    encode(required)
}

/// Decodes `PAYMENT-REQUIRED` (the buyer's side), at most [`MAX_ANSWER_HEADER`] bytes.
pub fn decode_required(header: &[u8]) -> Result<PaymentRequired, Malformed> {
    v2::required_from_value(&encoding::header_json(header, MAX_ANSWER_HEADER)?)
}

/// Encodes for `PAYMENT-RESPONSE`.
#[must_use]
pub fn encode_response(response: &SettlementResponse) -> String {
    encode(response)
}

/// Decodes `PAYMENT-RESPONSE` (the buyer's side), at most [`MAX_ANSWER_HEADER`] bytes.
pub fn decode_response(header: &[u8]) -> Result<SettlementResponse, Malformed> {
    v2::settlement_from_value(&encoding::header_json(header, MAX_ANSWER_HEADER)?)
}

fn encode(value: &impl serde::Serialize) -> String {
    encoding::base64_encode(&encoding::to_json(value))
}
