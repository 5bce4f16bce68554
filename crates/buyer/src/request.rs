//! What the buyer asks for.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::Url;

/// Header names that only the payment itself may carry.
const OURS: [&str; 3] = [x402::http::PAYMENT_SIGNATURE, x402::http::X_PAYMENT, x402::http::PAYMENT_CONTEXT];

/// A request that cannot be sent: the caller's mistake, before anything left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    #[error("`{0}` is no http:// or https:// URL")]
    Url(String),
    #[error("`{0}` is no header: write 'name: value'")]
    Header(String),
    #[error("the header `{0}` is set by the payment itself")]
    PaymentHeader(String),
    #[error("`{0}` is no HTTP method")]
    Method(String),
}

/// A request, kept whole so that it can be sent a second time with the payment.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

impl Request {
    /// `method` absent: GET, or POST where there is a body. `headers` are written `name: value`.
    pub fn new(url: &str, method: Option<&str>, headers: &[String], body: Option<Bytes>) -> Result<Self, BadRequest> {
        let parsed = Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        let method = match method {
            Some(name) => Method::from_bytes(name.as_bytes()).map_err(|_| BadRequest::Method(name.to_owned()))?,
            None if body.is_some() => Method::POST,
            None => Method::GET,
        };
        let mut map = HeaderMap::new();
        for line in headers {
            let (name, value) = header(line)?;
            map.append(name, value);
        }
        map.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(concat!("tollway/", env!("CARGO_PKG_VERSION"))));
        if let Some(body) = &body {
            map.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type(body)));
        }
        Ok(Self { url: parsed.ok_or_else(|| BadRequest::Url(url.to_owned()))?, method, headers: map, body })
    }

    /// The request that a redirect of an unpaid answer asks for; `None` where following it would not be safe: another method's semantics,
    /// a body, or from https to http. Credentials stay with the host they were given for.
    pub(crate) fn redirected(&self, location: &str) -> Option<Self> {
        let safe_method = self.method == Method::GET || self.method == Method::HEAD;
        let url = self.url.join(location).ok().filter(|u| matches!(u.scheme(), "http" | "https"))?;
        if !safe_method || self.body.is_some() || (self.url.scheme() == "https" && url.scheme() == "http") {
            return None;
        }
        let mut next = Self { url, ..self.clone() };
        if next.url.origin() != self.url.origin() {
            for name in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION, header::HOST] {
                next.headers.remove(name);
            }
        }
        Some(next)
    }
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), BadRequest> {
    let bad = || BadRequest::Header(line.to_owned());
    let (name, value) = line.split_once(':').ok_or_else(bad)?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| bad())?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| bad())?;
    if OURS.contains(&name.as_str()) {
        return Err(BadRequest::PaymentHeader(name.to_string()));
    }
    Ok((name, value))
}

fn content_type(body: &[u8]) -> &'static str {
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => "application/json",
        Err(_) => "application/x-www-form-urlencoded",
    }
}
