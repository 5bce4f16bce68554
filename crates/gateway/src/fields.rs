//! Which header fields pass, and in which direction.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// What a request's connection-level fields said, before they were taken away.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// `PAYMENT-SIGNATURE`, as often as it was sent.
    pub signatures: Vec<HeaderValue>,
    /// `X-PAYMENT`, likewise.
    pub v1_payments: Vec<HeaderValue>,
    /// `TE: trailers`: the client takes trailers.
    pub trailers: bool,
    /// `Expect: 100-continue`: the client waits to be invited.
    pub expects: bool,
    /// The protocol that an `Upgrade` asked for, where `Connection` nominated it.
    pub upgrade: Option<HeaderValue>,
}

impl Removed {
    /// Whether a payment was sent, or what should be one.
    pub fn has_payment(&self) -> bool {
        !self.signatures.is_empty() || !self.v1_payments.is_empty()
    }
}

/// What becomes of a field from outside.
#[derive(PartialEq, Eq)]
enum Fate {
    Passes,
    /// Meant for this connection only (RFC 9110 §7.6.1).
    Connection,
    /// Ours to write, or to read: never passed on.
    Ours,
    /// Makes some origins see another method, path or client than the one that was matched.
    Misleads,
}

/// Takes away what must not pass from a client to rules and origin, and says what of it mattered.
pub(crate) fn strip_request(headers: &mut HeaderMap) -> Removed {
    let mut removed = Removed::default();
    let nominated = nominated(headers);
    let doomed: Vec<HeaderName> =
        headers.keys().filter(|name| fate_of_request(name.as_str()) != Fate::Passes || is_nominated(&nominated, name)).cloned().collect();
    for name in doomed {
        if name == header::TE {
            removed.trailers = headers.get_all(&name).iter().any(|te| has_token(te, "trailers"));
        } else if name == header::EXPECT {
            removed.expects = true;
        } else if name == header::UPGRADE && is_nominated(&nominated, &name) {
            removed.upgrade = headers.get(&name).cloned();
        } else if name.as_str() == x402::http::PAYMENT_SIGNATURE {
            removed.signatures = headers.get_all(&name).iter().cloned().collect();
        } else if name.as_str() == x402::http::X_PAYMENT {
            removed.v1_payments = headers.get_all(&name).iter().cloned().collect();
        }
        headers.remove(name);
    }
    join_cookies(headers);
    removed
}

/// HTTP/2 may bring cookies in crumbs; rules and an HTTP/1.1 origin get them in one field (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(header::COOKIE).iter();
    if crumbs.next().is_none() || crumbs.next().is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

/// Takes away what must not pass from the origin to a client.
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    let nominated = nominated(headers);
    let doomed: Vec<HeaderName> =
        headers.keys().filter(|name| fate_of_response(name.as_str()) != Fate::Passes || is_nominated(&nominated, name)).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
}

/// Takes away what may not come as a trailer, in either direction: framing, routing, and all that is ours.
pub(crate) fn strip_trailers(trailers: &mut HeaderMap) {
    let doomed: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| fate_of_request(name.as_str()) != Fate::Passes || **name == header::HOST || **name == header::CONTENT_LENGTH)
        .cloned()
        .collect();
    for name in doomed {
        trailers.remove(name);
    }
}

fn fate_of_request(name: &str) -> Fate {
    match name {
        "expect" => Fate::Connection,
        _ if overrides(name) => Fate::Misleads,
        // CGI and its like read every character that is neither letter nor digit alike: another spelling of what we write would speak for us.
        _ if !name.bytes().all(is_plain) && is_ours_respelled(name) => Fate::Misleads,
        _ => fate_of_response(name),
    }
}

fn fate_of_response(name: &str) -> Fate {
    match name {
        "connection"
        | "keep-alive"
        | "proxy-connection"
        | "te"
        | "transfer-encoding"
        | "upgrade"
        | "http2-settings"
        | "proxy-authorization"
        | "proxy-authenticate" => Fate::Connection,
        _ if is_payment(name) => Fate::Ours,
        _ => Fate::Passes,
    }
}

/// The protocol's headers, and any that may join them.
fn is_payment(name: &str) -> bool {
    name.starts_with("payment-") || name.starts_with("x-payment") && matches!(name.as_bytes().get(9), None | Some(b'-'))
}

/// What some origins, or what stands before them, take instead of the method, the target or the host that was matched.
fn overrides(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("x-") else { return name == "front-end-https" };
    matches!(
        rest,
        "http-method-override"
            | "http-method"
            | "method-override"
            | "original-method"
            | "original-url"
            | "original-uri"
            | "original-host"
            | "rewrite-url"
            | "rewrite-uri"
            | "override-url"
            | "host"
            | "http-host-override"
            | "host-override"
            | "waws-unencoded-url"
    )
}

fn is_plain(byte: u8) -> bool {
    byte == b'-' || byte.is_ascii_alphanumeric()
}

fn is_ours_respelled(name: &str) -> bool {
    let dashed: String = name.bytes().map(|byte| if is_plain(byte) { char::from(byte) } else { '-' }).collect();
    is_payment(&dashed)
        || is_forwarded(&dashed)
        || fate_of_request(&dashed) != Fate::Passes
        || matches!(&*dashed, "host" | "content-length")
}

/// What says whom a request came from and where it was going: overwritten on the way to the origin.
pub(crate) fn is_forwarded(name: &str) -> bool {
    name.starts_with("x-forwarded")
        || matches!(name, "forwarded" | "x-real-ip" | "x-client-ip" | "true-client-ip" | "x-cluster-client-ip" | "x-proxyuser-ip")
}

/// The names that `Connection` declares hop-by-hop.
fn nominated(headers: &HeaderMap) -> Vec<String> {
    let mut names = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        let Ok(value) = value.to_str() else { continue };
        for name in value.split(',').map(str::trim) {
            if !name.is_empty() && !name.eq_ignore_ascii_case("keep-alive") && !name.eq_ignore_ascii_case("close") {
                names.push(name.to_ascii_lowercase());
            }
        }
    }
    names
}

/// `Connection` cannot take away what end points and we ourselves rely on (CVE-2025-48865).
fn is_nominated(nominated: &[String], name: &HeaderName) -> bool {
    !nominated.is_empty()
        && nominated.iter().any(|n| n == name.as_str())
        && !matches!(
            name.as_str(),
            "host" | "content-length" | "content-type" | "authorization" | "cookie" | "range" | "trailer" | "cache-control"
        )
        && !is_forwarded(name.as_str())
}

/// Whether a comma-separated list holds a token.
pub(crate) fn has_token(value: &HeaderValue, token: &str) -> bool {
    value
        .to_str()
        .is_ok_and(|list| list.split(',').any(|item| item.split(';').next().is_some_and(|item| item.trim().eq_ignore_ascii_case(token))))
}
