//! What is known of a request: the values behind the fields.

use http::{HeaderMap, Version};
use std::net::IpAddr;
use std::sync::OnceLock;
use x402::Timestamp;

/// The canonical head of a request, as the gateway read it.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// Upper case as sent: methods are case-sensitive (RFC 9110 §9.1).
    pub method: &'a str,
    /// The authority, lower case, without the scheme's default port.
    pub host: &'a str,
    /// Canonical path, starting with `/` (`*` for OPTIONS).
    pub path: &'a str,
    /// What follows `?`, without it.
    pub query: Option<&'a str>,
    /// The path as the client sent it, before it was made canonical.
    pub raw_path: &'a str,
    pub headers: &'a HeaderMap,
    pub version: Version,
    /// Whether the client's connection is encrypted.
    pub tls: bool,
    /// Who asks: the socket's peer, or what a trusted proxy says.
    pub src: IpAddr,
    pub now: Timestamp,
}

/// A request's facts. Borrowed where the head holds them; what must be computed is computed once, when first read.
#[derive(Debug)]
pub struct Facts<'a> {
    pub(crate) head: Head<'a>,
    pub(super) uri: OnceLock<String>,
    pub(super) raw_uri: OnceLock<String>,
    pub(super) full_uri: OnceLock<String>,
    pub(super) raw_full_uri: OnceLock<String>,
    pub(super) extension: OnceLock<String>,
    pub(super) raw_extension: OnceLock<String>,
}

impl<'a> Facts<'a> {
    #[must_use]
    pub fn new(head: Head<'a>) -> Self {
        Self {
            head,
            uri: OnceLock::new(),
            raw_uri: OnceLock::new(),
            full_uri: OnceLock::new(),
            raw_full_uri: OnceLock::new(),
            extension: OnceLock::new(),
            raw_extension: OnceLock::new(),
        }
    }

    #[must_use]
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }
}
