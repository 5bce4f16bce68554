//! What a `Host` may be, and its one spelling.

use std::{borrow::Cow, net::Ipv6Addr};

use http::Uri;

/// The ports that a `Host` may name, beside none. Names are free: which are served is for rules and origin to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    /// `public_url`'s, written or not.
    public: u16,
    /// The default of its scheme, which the canonical spelling leaves out.
    default: u16,
    listener: u16,
}

impl Ports {
    /// `public_url` is `http://` or `https://`.
    pub fn new(public_url: &Uri, listener: u16) -> Self {
        let default = if public_url.scheme_str() == Some("https") { 443 } else { 80 };
        Self { public: public_url.port_u16().unwrap_or(default), default, listener }
    }
}

/// The canonical spelling of a registered name, an IPv4 address or a bracketed IPv6 address, then perhaps a port (RFC 3986 §3.2.2, §3.2.3):
/// lower case, an address in its shortest form, no port where it is `public_url`'s and its scheme's default.
///
/// `None`: user information, percent-encoding, an empty name, a dot at the end, a port that is not ours. A rule would not see in them the
/// host that the origin sees.
pub(super) fn canonical(authority: &str, ports: Ports) -> Option<Cow<'_, str>> {
    let name = name(authority);
    let port = match authority.get(name.len()..)? {
        "" => "",
        written => match number(written)? {
            port if port == ports.public && port == ports.default => "",
            port if port == ports.public || port == ports.listener => written,
            _ => return None,
        },
    };
    if let Some(address) = name.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(Cow::Owned(format!("[{address}]{port}")));
    }
    if !is_name(name) {
        return None;
    }
    let kept = authority.get(..name.len() + port.len())?;
    Some(if kept.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(kept.to_ascii_lowercase()) } else { Cow::Borrowed(kept) })
}

/// An authority without its port: what `http.host` is.
pub(crate) fn name(authority: &str) -> &str {
    let end = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    authority.get(..end).unwrap_or(authority)
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    !name.is_empty() && name.len() <= 253 && name.bytes().all(plain) && !dots
}

/// Of `:` and a number up to 65535 without leading zeros.
fn number(port: &str) -> Option<u16> {
    let digits = port.strip_prefix(':')?;
    if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) { None } else { digits.parse().ok() }
}
