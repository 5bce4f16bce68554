//! Networks by their CAIP-2 id, with the short names of protocol version 1.

use crate::known;
use std::{fmt, sync::Arc};

const EIP155: &str = "eip155:";

/// The EVM networks that the official version 1 client knows, by its names. It refuses a whole 402 for one name outside its list. Not here: the names
/// whose chain ids differ between the official packages (`story`, `educhain`, `skale-base-sepolia`), and Solana's.
const V1_NAMES: [(&str, u64); 12] = [
    ("abstract", 2741),
    ("abstract-testnet", 11124),
    ("base-sepolia", 84532),
    ("base", 8453),
    ("avalanche-fuji", 43113),
    ("avalanche", 43114),
    ("iotex", 4689),
    ("sei", 1329),
    ("sei-testnet", 1328),
    ("polygon", 137),
    ("polygon-amoy", 80002),
    ("peaq", 3338),
];

/// A CAIP-2 chain id, e.g. `eip155:8453`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(Arc<str>);

/// Not a CAIP-2 id, and no known short name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is neither a CAIP-2 network such as \"eip155:8453\" nor a known name such as \"base\"")]
pub struct UnknownNetwork(pub String);

impl Network {
    /// The EVM chain of that id (EIP-155).
    #[must_use]
    pub fn eip155(chain_id: u64) -> Self {
        Self(format!("{EIP155}{chain_id}").into())
    }

    /// Parses a CAIP-2 id (`namespace:reference`); short names are refused.
    pub fn parse(caip2: &str) -> Result<Self, UnknownNetwork> {
        let well_formed = match caip2.split_once(':') {
            Some(("eip155", reference)) => is_chain_id(reference),
            Some((namespace, reference)) => is_namespace(namespace) && is_reference(reference),
            None => false,
        };
        if well_formed { Ok(Self(caip2.into())) } else { Err(UnknownNetwork(caip2.to_owned())) }
    }

    /// Parses what an operator writes: CAIP-2 or a known short name ("base", "base-sepolia", …).
    pub fn from_name(name: &str) -> Result<Self, UnknownNetwork> {
        if name.contains(':') {
            return Self::parse(name);
        }
        let known = known::networks().iter().find(|known| known.name == name).map(|known| known.network.clone());
        known.or_else(|| Self::from_v1_name(name)).ok_or_else(|| UnknownNetwork(name.to_owned()))
    }

    /// The version 1 name of this network, if it has one.
    pub fn v1_name(&self) -> Option<&'static str> {
        let chain_id = self.chain_id()?;
        V1_NAMES.iter().find(|(_, id)| *id == chain_id).map(|(name, _)| *name)
    }

    /// The network of a version 1 name.
    pub fn from_v1_name(name: &str) -> Option<Self> {
        V1_NAMES.iter().find(|(known, _)| *known == name).map(|(_, id)| Self::eip155(*id))
    }

    /// The chain id, for `eip155` networks.
    pub fn chain_id(&self) -> Option<u64> {
        self.0.strip_prefix(EIP155)?.parse().ok()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A canonical decimal of 64 bits: one chain has one spelling.
fn is_chain_id(reference: &str) -> bool {
    reference.parse::<u64>().is_ok_and(|id| id.to_string() == reference)
}

/// CAIP-2: `[-a-z0-9]{3,8}`.
fn is_namespace(namespace: &str) -> bool {
    (3..=8).contains(&namespace.len()) && namespace.bytes().all(|b| matches!(b, b'-' | b'a'..=b'z' | b'0'..=b'9'))
}

/// CAIP-2: `[-_a-zA-Z0-9]{1,32}`.
fn is_reference(reference: &str) -> bool {
    (1..=32).contains(&reference.len()) && reference.bytes().all(|b| b == b'-' || b == b'_' || b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
