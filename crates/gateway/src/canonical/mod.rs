//! The canonical head of a request: what is matched is, byte for byte, what is forwarded.
//!
//! A path has one spelling here: RFC 3986 `pchar`s other than `;` stand for themselves, everything else is percent-encoded UTF-8 in upper-case
//! hex. Encoded sub-delimiters, `:` and `@` are decoded and hex is put in upper case; every other deviation is refused, because a router
//! behind us might read it as another path than the one that was priced.

mod authority;
mod path;
#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderValue, Method, Uri, header, request::Parts, uri::PathAndQuery};

pub(crate) use authority::Ports;

/// `http.host` of a canonical head: the name without the port.
pub(crate) fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).map_or("", authority::name)
}

/// Why a head was refused: the client's fault, before any rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ambiguous {
    #[error("a request names its host once, in every place the same, without a dot at its end or a port that is not served")]
    Host,
    #[error("the path is not in its canonical form: {0}")]
    Path(&'static str),
    #[error("this method is not served")]
    Method,
    #[error("the request's framing is ambiguous")]
    Framing,
}

/// What is left to say of a head that was made canonical in place.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    /// The path as sent, where that was not the canonical spelling.
    pub raw_path: Option<String>,
}

/// Checks a head and makes it canonical in place: `uri` in origin form, `Host` once and in its canonical spelling.
pub(crate) fn make(parts: &mut Parts, ports: Ports) -> Result<Canonical, Ambiguous> {
    method(&parts.method)?;
    framing(&parts.headers)?;
    authority(parts, ports)?;
    target(parts)
}

/// Methods are case-sensitive (RFC 9110 §9.1), and some origins forget it.
fn method(method: &Method) -> Result<(), Ambiguous> {
    let plain = |b: &u8| b.is_ascii_uppercase() || matches!(b, b'-' | b'_');
    match *method {
        Method::GET | Method::POST | Method::HEAD | Method::PUT | Method::DELETE | Method::PATCH | Method::OPTIONS => Ok(()),
        Method::CONNECT | Method::TRACE => Err(Ambiguous::Method),
        _ if method.as_str().bytes().all(|b| plain(&b)) => Ok(()),
        _ => Err(Ambiguous::Method),
    }
}

/// What hyper lets pass and RFC 9112 §6 calls a smuggling attempt.
fn framing(headers: &HeaderMap) -> Result<(), Ambiguous> {
    if headers.get_all(header::CONTENT_LENGTH).iter().any(|length| length.len() > 1 && length.as_bytes().starts_with(b"0")) {
        return Err(Ambiguous::Framing);
    }
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) if lengths <= 1 => Ok(()),
        (Some(coding), None) if lengths == 0 && coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Ambiguous::Framing),
    }
}

/// Exactly one `Host`, equal to the target's authority where it has one (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn authority(parts: &mut Parts, ports: Ports) -> Result<(), Ambiguous> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    if more.is_some() {
        return Err(Ambiguous::Host);
    }
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    let name = match (host, target) {
        (None, Some(target)) => target,
        (Some(host), target) if target.is_none_or(|target| host.as_bytes().eq_ignore_ascii_case(target.as_bytes())) => {
            host.to_str().map_err(|_| Ambiguous::Host)?
        }
        _ => return Err(Ambiguous::Host),
    };
    let canonical = authority::canonical(name, ports).ok_or(Ambiguous::Host)?;
    if host.is_none() || canonical != name {
        let canonical = HeaderValue::try_from(&*canonical).map_err(|_| Ambiguous::Host)?;
        parts.headers.insert(header::HOST, canonical);
    }
    Ok(())
}

fn target(parts: &mut Parts) -> Result<Canonical, Ambiguous> {
    let odd_scheme = parts.uri.scheme_str().is_some_and(|s| s != "http" && s != "https");
    if odd_scheme {
        return Err(Ambiguous::Host);
    }
    if let Some(query) = parts.uri.query()
        && !query.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(Ambiguous::Path("the query holds bytes that must be percent-encoded"));
    }
    let canonical = path::canonical(parts.uri.path()).map_err(Ambiguous::Path)?;
    let raw_path = match canonical {
        None if parts.uri.authority().is_none() => return Ok(Canonical::default()),
        None => None,
        Some(_) => Some(parts.uri.path().to_owned()),
    };
    let path = canonical.as_deref().unwrap_or(parts.uri.path());
    let form = match parts.uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    parts.uri = Uri::from(form.map_err(|_| Ambiguous::Path("not a path"))?);
    Ok(Canonical { raw_path })
}
