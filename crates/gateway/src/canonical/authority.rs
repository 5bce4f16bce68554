//! What a `Host` may be.

/// A registered name, an IPv4 address or a bracketed IPv6 address, then perhaps a port (RFC 3986 §3.2.2, §3.2.3). User information,
/// percent-encoding and an empty name are refused.
pub(super) fn is_valid(authority: &str) -> bool {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address.parse::<std::net::Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (name, port) = authority.split_at(end);
            (is_name(name), port)
        }
    };
    name && is_port(port)
}

fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !name.is_empty() && name.len() <= 253 && name.bytes().all(plain) && !name.starts_with('.') && !name.contains("..")
}

/// Nothing, or `:` and a number up to 65535 without leading zeros.
fn is_port(port: &str) -> bool {
    match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
    }
}
