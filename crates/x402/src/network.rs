//! Networks by their CAIP-2 id, with the short names of protocol version 1.

use std::{fmt, sync::Arc};

/// A CAIP-2 chain id, e.g. `eip155:8453`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(Arc<str>);

/// Not a CAIP-2 id, and no known short name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is neither a CAIP-2 network such as \"eip155:8453\" nor a known name such as \"base\"")]
pub struct UnknownNetwork(pub String);

impl Network {
    /// The EVM chain of that id (EIP-155).
    pub fn eip155(chain_id: u64) -> Self { todo!() }
    /// Parses a CAIP-2 id (`namespace:reference`); short names are refused.
    pub fn parse(caip2: &str) -> Result<Self, UnknownNetwork> { todo!() }
    /// Parses what an operator writes: CAIP-2 or a known short name ("base", "base-sepolia", …).
    pub fn from_name(name: &str) -> Result<Self, UnknownNetwork> { todo!() }
    /// The version 1 name of this network, if it has one.
    pub fn v1_name(&self) -> Option<&'static str> { todo!() }
    /// The network of a version 1 name.
    pub fn from_v1_name(name: &str) -> Option<Self> { todo!() }
    /// The chain id, for `eip155` networks.
    pub fn chain_id(&self) -> Option<u64> { todo!() }
    pub fn as_str(&self) -> &str { &self.0 }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
}
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
}
