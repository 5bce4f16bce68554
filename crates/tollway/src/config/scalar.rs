//! Strict scalars: each error says what would be right.

use std::net::SocketAddr;

use ipnet::IpNet;
use url::Url;
use x402::Address;

/// Bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
pub fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];
    with_unit(text, &units).ok_or_else(|| format!("\"{text}\" is no size; write \"64KiB\", \"1MiB\" or \"512B\""))
}

/// Seconds: a whole number and `s`, `m`, `h` or `d`.
pub fn duration(text: &str) -> Result<u64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    with_unit(text, &units).ok_or_else(|| format!("\"{text}\" is no duration; write \"30s\", \"5m\" or \"1h\""))
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, factor) = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A 20-byte address in hex; its EIP-55 checksum must be right where letters are of both cases. Never the zero address.
pub fn address(text: &str) -> Result<Address, String> {
    let digits = text.strip_prefix("0x").ok_or_else(|| format!("\"{text}\" is no address; write 0x and 40 hex digits"))?;
    if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(format!("\"{text}\" is no address: 0x and 40 hex digits are wanted, these are {}", digits.chars().count()));
    }
    let address: Address = text.parse().map_err(|_| format!("\"{text}\" is no address"))?;
    let letter = |f: fn(&char) -> bool| digits.chars().any(|c| f(&c));
    let mixed = letter(char::is_ascii_lowercase) && letter(char::is_ascii_uppercase);
    if mixed && address.to_checksum(None) != text {
        return Err(format!("\"{text}\" has a wrong EIP-55 checksum: a digit is mistyped, or it should read {address}"));
    }
    if address.is_zero() {
        return Err("the zero address would burn what is paid to it".to_owned());
    }
    Ok(address)
}

/// An IP address with a port.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no IP address with a port; write \"127.0.0.1:4020\" or \"[::]:4020\""))
}

/// `http://` or `https://`, and a host.
pub fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("\"{text}\" is no URL ({error}); write \"http://host:port\""))?;
    if !matches!(url.scheme(), "http" | "https") || !text.contains("://") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("\"{text}\" is no http:// or https:// URL"));
    }
    Ok(url)
}

/// A URL of scheme and authority only; without a trailing slash.
pub fn base_url(text: &str) -> Result<String, String> {
    let url = http_url(text)?;
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("\"{text}\" has a path or a query; only scheme, host and port are wanted, such as \"{}\"", origin_of(&url)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user names and passwords do not belong into it".to_owned());
    }
    Ok(origin_of(&url))
}

fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A CIDR, or one address.
pub fn cidr(text: &str) -> Result<IpNet, String> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    net.map_err(|_| format!("\"{text}\" is no CIDR; write \"10.0.0.0/8\" or \"192.0.2.7\""))
}

/// A price in dollars, as the rules read it: `$` and a decimal.
pub fn dollars(text: &str) -> Result<String, String> {
    let decimal = |number: &str| {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    };
    match text.strip_prefix('$') {
        Some(number) if decimal(number) => Ok(text.to_owned()),
        None if decimal(text) => {
            Err(format!("\"{text}\" has no currency; write \"${text}\" for dollars, or {{ amount = \"…\", asset = \"0x…\" }}"))
        }
        _ => Err(format!("\"{text}\" is no price; write \"$0.001\", or {{ amount = \"1000\", asset = \"0x…\" }} in atomic units")),
    }
}
