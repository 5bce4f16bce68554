//! What is answered besides decisions, and how it looks on the wire.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use http_body_util::Full;
use ledger::StoreError;
use serde::Serialize;
use serde_json::json;

use crate::Refusal;

pub type Body = Full<Bytes>;

/// When to try again, in seconds.
const RETRY_IN: &str = "1";

/// Why a request is not decided. No money moved, except perhaps for [`Refused::Internal`].
#[derive(Debug)]
pub enum Refused {
    NotFound,
    Method(&'static str),
    Unauthorized,
    Payee,
    Late,
    TooLarge(usize),
    Malformed(String),
    NotReady(String),
    Unavailable(String),
    Internal,
}

impl From<x402::encoding::Malformed> for Refused {
    fn from(error: x402::encoding::Malformed) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Refused {
    /// Splits a refusal into what is decided about the payment and what is not.
    pub fn of(refusal: Refusal) -> Result<x402::Reason, Self> {
        match refusal {
            Refusal::Invalid(reason) => Ok(reason),
            Refusal::NotReady { why } => Err(Self::NotReady(why)),
            Refusal::Unavailable { why } => Err(Self::Unavailable(why)),
        }
    }

    pub fn into_response(self) -> Response<Body> {
        let (status, code, message) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "POST /verify, POST /settle, GET /supported, GET /healthz".to_owned()),
            Self::Method(allowed) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("use {allowed}")),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "a bearer token is required".to_owned()),
            Self::Payee => (StatusCode::FORBIDDEN, "denied", "this facilitator does not settle for that payee".to_owned()),
            Self::Late => (StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body did not arrive in time".to_owned()),
            Self::TooLarge(most) => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", format!("the body is larger than {most} bytes")),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, "invalid_payload", why.clone()),
            Self::NotReady(why) => (StatusCode::SERVICE_UNAVAILABLE, "network_not_ready", why.clone()),
            Self::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", why.clone()),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "ask again: the books know what became of it".to_owned()),
        };
        let mut response = json_answer(status, &json!({ "error": code, "message": message }));
        let headers = response.headers_mut();
        match &self {
            Self::Method(allowed) => drop(headers.insert(ALLOW, HeaderValue::from_static(allowed))),
            Self::Unauthorized => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::NotReady(_) | Self::Unavailable(_) => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_IN))),
            _ => {}
        }
        response
    }
}

/// JSON, kept by nobody on the way.
pub fn json_answer(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
