//! What a gateway is told.

use std::{net::SocketAddr, time::Duration};

use ipnet::IpNet;

/// What a gateway is told, beside its rules. All but `listen` and `threads` may change with a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The data plane's address; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Data-plane threads; 0: one per core.
    pub threads: usize,
    /// How clients name this gateway, without a slash at its end. Issuer and audience of `PAYMENT-CONTEXT`.
    pub public_url: String,
    /// `http://` or `https://`, authority only: scheme, host and port.
    pub origin: http::Uri,
    /// Peers whose `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The most of a request body that is held in memory for a comparison, in bytes. Beyond, it goes by a temporary file.
    pub request_buffer: u64,
    pub limits: Limits,
}

/// Time-outs and sizes that have no key in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte of a connection, or the end of the last answer, to the end of a request's head.
    pub head: Duration,
    /// To open a connection to the origin, TLS included.
    pub connect: Duration,
    /// From the last byte of a request that went to the origin to the head of its answer.
    pub origin: Duration,
    /// How long a connection to the origin may stand idle.
    pub idle: Duration,
    /// The longest pause of a client's within a request's body.
    pub upload: Duration,
    /// How long a client may take nothing of an answer.
    pub stall: Duration,
    /// Open connections of clients, per thread; above, none is accepted.
    pub connections: usize,
    /// What is kept of an authorization's window for its settlement, in seconds.
    pub settlement_room: u64,
    /// Bytes of a request's head, its target included.
    pub head_bytes: usize,
    /// Fields of a request's head.
    pub head_fields: usize,
    /// The most of an unwanted request body that is read to keep a connection, in bytes.
    pub drain: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            connect: Duration::from_secs(5),
            origin: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            upload: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            connections: 4096,
            settlement_room: 10,
            head_bytes: 64 * 1024,
            head_fields: 100,
            drain: 256 * 1024,
        }
    }
}

/// Secrets of the store, shared by all gateways on it.
#[derive(Clone)]
pub struct Secrets {
    /// Signs quotes.
    pub quote: [u8; 32],
    /// Seed of the Ed25519 key of `PAYMENT-CONTEXT`.
    pub context: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}
