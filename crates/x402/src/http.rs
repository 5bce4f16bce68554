//! The HTTP transport (transports-v2/http.md, and version 1's): header names and codecs.

use crate::{PaymentPayload, PaymentRequired, SettlementResponse, encoding::Malformed};

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

/// Decodes `PAYMENT-SIGNATURE` (version 2).
pub fn decode_payment(header: &[u8]) -> Result<PaymentPayload, Malformed> { todo!() }
/// Encodes for `PAYMENT-SIGNATURE`.
pub fn encode_payment(payload: &PaymentPayload) -> String { todo!() }
/// Encodes for `PAYMENT-REQUIRED`.
pub fn encode_required(required: &PaymentRequired) -> String { todo!() }
pub fn decode_required(header: &[u8]) -> Result<PaymentRequired, Malformed> { todo!() }
/// Encodes for `PAYMENT-RESPONSE`.
pub fn encode_response(response: &SettlementResponse) -> String { todo!() }
pub fn decode_response(header: &[u8]) -> Result<SettlementResponse, Malformed> { todo!() }
