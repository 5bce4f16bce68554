//! What browsers are told, so that scripts of other origins can pay.

use http::{HeaderMap, HeaderValue, Method, header, request::Parts};

/// What a script must see to pay and to keep its receipt.
const EXPOSED: &str = "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE";
/// What a script must send to pay.
const PAYMENT_FIELDS: &str = "PAYMENT-SIGNATURE, X-PAYMENT";
/// Seconds that a browser may remember a preflight.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// A CORS preflight, as the Fetch standard defines it.
pub(crate) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ORIGIN)
        && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer's fields for a preflight with these fields.
pub(crate) fn allow(asked: &HeaderMap, answer: &mut HeaderMap) {
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    if let Some(method) = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    }
    let fields = match asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|fields| fields.to_str().ok()) {
        Some(fields) => HeaderValue::try_from(format!("{fields}, {PAYMENT_FIELDS}")).ok(),
        None => None,
    };
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fields.unwrap_or(HeaderValue::from_static(PAYMENT_FIELDS)));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    answer.insert(header::VARY, HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
}

/// Lets a script of any origin read an answer that is ours.
pub(crate) fn open(answer: &mut HeaderMap) {
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    expose(answer);
}

/// Lets a script that may read the origin's answer see the payment fields too. Where the origin says nothing of who may, any may: the
/// preflight that we answered has said so, and who pays is to get what is paid for. Credentials stay out of it (Fetch, `*`).
pub(crate) fn share(answer: &mut HeaderMap) {
    if !answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    }
    expose(answer);
}

fn expose(answer: &mut HeaderMap) {
    answer.append(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}
