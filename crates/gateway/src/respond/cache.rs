//! What caches are told of answers under a charge rule (DESIGN §3).

use http::{HeaderMap, HeaderName, HeaderValue, header};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const VARY: &str = "PAYMENT-SIGNATURE, X-PAYMENT";

/// For our own refusals: nobody keeps them.
pub(super) fn forbid(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, NO_STORE);
}

/// For every answer under a charge rule: only the buyer's own cache may keep it, and only for the same payment.
pub(super) fn make_private(headers: &mut HeaderMap) {
    let directives = private(headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::try_from(directives).unwrap_or(NO_STORE));
    let doomed: Vec<HeaderName> = headers.keys().filter(|name| is_for_shared_caches(name.as_str())).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
    vary(headers);
}

/// `private` and what the origin said, without what speaks to shared caches.
fn private(headers: &HeaderMap) -> String {
    let mut directives = vec!["private"];
    for value in headers.get_all(header::CACHE_CONTROL) {
        let Ok(value) = value.to_str() else { return "no-store".to_owned() };
        for directive in split(value) {
            let name = directive.split('=').next().unwrap_or(directive).trim();
            let shared = ["public", "private", "s-maxage", "proxy-revalidate"].iter().any(|shared| name.eq_ignore_ascii_case(shared));
            if !shared && !directive.is_empty() {
                directives.push(directive);
            }
        }
    }
    directives.join(", ")
}

/// At commas, but not at those within quotes (`private="a, b"`).
fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value
        .split(move |c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
}

fn is_for_shared_caches(name: &str) -> bool {
    name.ends_with("cdn-cache-control") || matches!(name, "surrogate-control" | "x-accel-expires" | "edge-control" | "age")
}

/// The same answer is not for another payment.
pub(super) fn vary(headers: &mut HeaderMap) {
    let any = headers.get_all(header::VARY).iter().any(|vary| vary.as_bytes().trim_ascii() == b"*");
    if !any {
        headers.append(header::VARY, HeaderValue::from_static(VARY));
    }
}

#[cfg(test)]
mod tests;
