//! The well-known networks and their USDC: Base, Base Sepolia, Arbitrum, Optimism, Polygon, Avalanche, Ethereum (+ their test networks where version 1 names them).

use crate::{Asset, Network};

/// A network that needs no configuration.
#[derive(Clone, Debug)]
pub struct KnownNetwork {
    pub network: Network,
    /// CAIP-2 aside, how operators write it: "base".
    pub name: &'static str,
    /// Public RPC endpoints.
    pub rpc: &'static [&'static str],
    pub usdc: Asset,
}

pub fn networks() -> &'static [KnownNetwork] { todo!() }
pub fn network(network: &Network) -> Option<&'static KnownNetwork> { todo!() }
