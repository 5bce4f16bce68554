//! `decode`: payment header → untrusted payload.

use http::HeaderValue;
use x402::{
    B256, PaymentPayload, Version,
    encoding::Malformed,
    http::{MAX_PAYMENT_HEADER, PAYMENT_SIGNATURE, X_PAYMENT, decode_payment},
    v1,
};

use crate::{digest, fields::Removed};

/// A payment as it was sent.
pub(super) struct Decoded {
    pub payload: PaymentPayload,
    /// Of the header's bytes: who holds the equal ones is the buyer.
    pub header: B256,
    /// Whether those bytes hold a secret: a quote of ours. Everything else of a payment is public once it has settled.
    pub secret: bool,
}

/// The one payment of a request, if it has one.
pub(super) fn decode(removed: &Removed) -> Result<Option<Decoded>, Malformed> {
    match (removed.signatures.as_slice(), removed.v1_payments.as_slice()) {
        ([], []) => Ok(None),
        ([header], []) => read(PAYMENT_SIGNATURE, header, decode_payment),
        ([], [header]) => read(X_PAYMENT, header, v1::decode_payment),
        ([], _) | (_, []) => Err(Malformed::Conflict("the payment header stands twice")),
        _ => Err(Malformed::Conflict("payments of version 1 and of version 2 together")),
    }
}

fn read(
    name: &str,
    header: &HeaderValue,
    decode: impl Fn(&[u8]) -> Result<PaymentPayload, Malformed>,
) -> Result<Option<Decoded>, Malformed> {
    let bytes = header.as_bytes();
    if bytes.len() > MAX_PAYMENT_HEADER {
        return Err(Malformed::TooLarge(MAX_PAYMENT_HEADER));
    }
    let payload = decode(bytes)?;
    let quoted = payload
        .accepted
        .as_ref()
        .and_then(|accepted| accepted.extra.as_ref())
        .is_some_and(|extra| extra.get("quote").is_some_and(serde_json::Value::is_string));
    let secret = payload.version == Version::V2 && quoted;
    Ok(Some(Decoded { payload, header: digest::of_header(name, bytes), secret }))
}
