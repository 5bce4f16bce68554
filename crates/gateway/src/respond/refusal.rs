//! Refusals other than 402: JSON `{"error", "message", "payment"?, "retryAfter"?}`.

use std::fmt::Display;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use x402::PaymentId;

use super::cache;
use crate::Body;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a refusal says.
#[derive(serde::Serialize)]
pub(crate) struct Refusal {
    #[serde(skip)]
    status: StatusCode,
    error: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// Seconds.
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Refusal {
    pub fn new(status: StatusCode, error: &'static str, message: impl Display) -> Self {
        Self { status, error, message: message.to_string(), payment: None, retry_after: None }
    }

    pub fn payment(mut self, id: PaymentId) -> Self {
        self.payment = Some(id.to_string());
        self
    }

    /// Trying again helps after so many seconds.
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

pub(crate) fn refuse(refusal: Refusal) -> Response<Body> {
    let body = serde_json::to_vec(&refusal).unwrap_or_default();
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    cache::forbid(headers);
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"));
    }
    response
}
