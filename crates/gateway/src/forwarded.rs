//! Who asks, and how the origin is told.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use ipnet::IpNet;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// `ip.src`: the socket's peer, or what trusted proxies say.
    pub source: IpAddr,
    /// Whether its own connection is encrypted.
    pub tls: bool,
}

/// Finds the client, and overwrites the `X-Forwarded-*` fields for the origin: what an untrusted peer says of itself is dropped.
pub(crate) fn resolve(headers: &mut HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> Client {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let (source, chain, tls) = if is_trusted(&peer) {
        let (source, chain) = walk(headers, peer, is_trusted);
        (source, chain, headers.get(PROTO).is_some_and(|proto| proto == "https"))
    } else {
        (peer, None, false)
    };
    let doomed: Vec<HeaderName> = headers.keys().filter(|name| crate::fields::is_forwarded(name.as_str())).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
    headers.insert(FOR, chain.unwrap_or_else(|| address(peer)));
    headers.insert(PROTO, HeaderValue::from_static(if tls { "https" } else { "http" }));
    if let Some(host) = headers.get(header::HOST).cloned() {
        headers.insert(HOST, host);
    }
    Client { source, tls }
}

/// From the right, over trusted proxies, to the first address that is not one; garbage ends the walk where it stands.
/// With it, the chain for the origin: what was believed, and the peer.
fn walk(headers: &HeaderMap, peer: IpAddr, is_trusted: impl Fn(&IpAddr) -> bool) -> (IpAddr, Option<HeaderValue>) {
    let mut source = peer;
    let mut believed = vec![peer.to_string()];
    let lists: Vec<&str> = headers.get_all(FOR).iter().map(|value| value.to_str().unwrap_or("")).collect();
    for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Some(address) = parse(hop.trim()) else { break };
        source = address;
        believed.push(address.to_string());
        if !is_trusted(&address) {
            break;
        }
    }
    believed.reverse();
    (source, HeaderValue::try_from(believed.join(", ")).ok())
}

/// An address as proxies write it: bare, or with a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().ok().or_else(|| hop.parse().ok().map(|with_port: std::net::SocketAddr| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

fn address(address: IpAddr) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(address.to_string())).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn resolved(peer: &str, chain: &[&str]) -> (String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("h"));
        for value in chain {
            headers.append(FOR, HeaderValue::from_str(value).unwrap());
        }
        headers.insert("x-real-ip", HeaderValue::from_static("6.6.6.6"));
        headers.insert("forwarded", HeaderValue::from_static("for=6.6.6.6"));
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let client = resolve(&mut headers, peer.parse().unwrap(), &trusted);
        assert!(headers.get("x-real-ip").is_none() && headers.get("forwarded").is_none());
        assert_eq!(headers.get_all(FOR).iter().count(), 1);
        (client.source.to_string(), headers[FOR].to_str().unwrap().to_owned())
    }

    #[test]
    fn an_untrusted_peer_speaks_for_itself_only() {
        assert_eq!(resolved("9.9.9.9", &["1.1.1.1"]), ("9.9.9.9".into(), "9.9.9.9".into()));
        assert_eq!(resolved("::ffff:9.9.9.9", &[]), ("9.9.9.9".into(), "9.9.9.9".into()));
    }

    #[test]
    fn trusted_proxies_are_walked_from_the_right() {
        assert_eq!(resolved("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"]), ("1.1.1.1".into(), "1.1.1.1, 10.0.0.2, 10.0.0.1".into()));
        assert_eq!(resolved("10.0.0.1", &["6.6.6.6", "1.1.1.1:80"]), ("1.1.1.1".into(), "1.1.1.1, 10.0.0.1".into()));
        assert_eq!(resolved("fd00::1", &["[2001:db8::1]:443"]), ("2001:db8::1".into(), "2001:db8::1, fd00::1".into()));
        assert_eq!(resolved("10.0.0.1", &["1.1.1.1, junk"]).0, "10.0.0.1");
        assert_eq!(resolved("10.0.0.1", &[]).0, "10.0.0.1");
        let long = vec!["10.1.1.1"; 50].join(",");
        assert_eq!(resolved("10.0.0.1", &[&long]).0, "10.1.1.1");
    }
}
