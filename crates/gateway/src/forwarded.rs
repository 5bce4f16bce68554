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

/// A socket's peer, as it is written once for all requests of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    address: IpAddr,
    text: HeaderValue,
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let text = HeaderValue::from_maybe_shared(Bytes::from(address.to_string()));
        Self { address, text: text.unwrap_or_else(|_| HeaderValue::from_static("unknown")) }
    }
}

/// Finds the client, and overwrites the `X-Forwarded-*` fields for the origin: what an untrusted peer says of itself is dropped.
pub(crate) fn resolve(headers: &mut HeaderMap, peer: &Address, trusted: &[IpNet]) -> Client {
    let Address { address: peer, text } = peer.clone();
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
    headers.insert(FOR, chain.unwrap_or(text));
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

#[cfg(test)]
mod tests;
