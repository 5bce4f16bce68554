//! How a gateway would decide a request, without one running: for `tollway check --explain`.

use std::net::IpAddr;

use http::request::Parts;
use rules::{Explanation, Facts, Head, RuleSet};
use x402::Timestamp;

use crate::canonical::{self, Ports};

/// Decides a request by its head, as a client would send it: target in absolute form, or `Host` among the headers. A port in the target
/// counts as the gateway's.
///
/// Errors: why the head is refused with 400, before any rule.
pub fn explain(rules: &RuleSet, mut parts: Parts, src: IpAddr, now: Timestamp) -> Result<Explanation, String> {
    let tls = parts.uri.scheme_str() == Some("https");
    let ports = Ports::new(&parts.uri, parts.uri.port_u16().unwrap_or(0));
    let canonical = canonical::make(&mut parts, ports).map_err(|ambiguous| ambiguous.to_string())?;
    let head = Head {
        method: parts.method.as_str(),
        host: canonical::host(&parts.headers),
        path: parts.uri.path(),
        query: parts.uri.query(),
        raw_path: canonical.raw_path.as_deref().unwrap_or(parts.uri.path()),
        headers: &parts.headers,
        version: parts.version,
        tls,
        src,
        now,
    };
    Ok(rules.explain(&Facts::new(head)))
}
