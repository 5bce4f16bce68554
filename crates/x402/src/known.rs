//! The well-known networks and their USDC: Base, Base Sepolia, Arbitrum, Optimism, Polygon, Avalanche, Ethereum, and their test networks.

use crate::{Address, Asset, AssetId, Network};
use alloy_primitives::address;
use std::sync::LazyLock;

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

/// One row of [`TABLE`]: short name, chain id, public RPC endpoints, USDC's address and its EIP-712 name.
type Row = (&'static str, u64, &'static [&'static str], Address, &'static str);

/// USDC's names differ from network to network: "USD Coin" or "USDC" (a test holds those that the
/// official packages list to them; Optimism, Optimism Sepolia and Sepolia are in none). Its EIP-712 version is "2", its
/// decimals are 6 everywhere. The facilitator reads both from the chain before it takes a payment.
#[rustfmt::skip]
const TABLE: [Row; 12] = [
    ("base", 8453, &["https://mainnet.base.org", "https://base-rpc.publicnode.com"], address!("833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), "USD Coin"),
    ("base-sepolia", 84532, &["https://sepolia.base.org", "https://base-sepolia-rpc.publicnode.com"], address!("036CbD53842c5426634e7929541eC2318f3dCF7e"), "USDC"),
    ("arbitrum", 42161, &["https://arb1.arbitrum.io/rpc", "https://arbitrum-one-rpc.publicnode.com"], address!("af88d065e77c8cC2239327C5EDb3A432268e5831"), "USD Coin"),
    ("arbitrum-sepolia", 421_614, &["https://sepolia-rollup.arbitrum.io/rpc", "https://arbitrum-sepolia-rpc.publicnode.com"], address!("75faf114eafb1BDbe2F0316DF893fd58CE46AA4d"), "USD Coin"),
    ("optimism", 10, &["https://mainnet.optimism.io", "https://optimism-rpc.publicnode.com"], address!("0b2C639c533813f4Aa9D7837CAf62653d097Ff85"), "USD Coin"),
    ("optimism-sepolia", 11_155_420, &["https://sepolia.optimism.io", "https://optimism-sepolia-rpc.publicnode.com"], address!("5fd84259d66Cd46123540766Be93DFE6D43130D7"), "USDC"),
    ("polygon", 137, &["https://polygon.drpc.org", "https://polygon-bor-rpc.publicnode.com"], address!("3c499c542cEF5E3811e1192ce70d8cC03d5c3359"), "USD Coin"),
    ("polygon-amoy", 80002, &["https://polygon-amoy.drpc.org", "https://polygon-amoy-bor-rpc.publicnode.com"], address!("41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582"), "USDC"),
    ("avalanche", 43114, &["https://api.avax.network/ext/bc/C/rpc", "https://avalanche-c-chain-rpc.publicnode.com"], address!("B97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E"), "USD Coin"),
    ("avalanche-fuji", 43113, &["https://api.avax-test.network/ext/bc/C/rpc", "https://avalanche-fuji-c-chain-rpc.publicnode.com"], address!("5425890298aed601595a70AB815c96711a31Bc65"), "USD Coin"),
    ("ethereum", 1, &["https://ethereum-rpc.publicnode.com", "https://ethereum.reth.rs/rpc"], address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USD Coin"),
    ("sepolia", 11_155_111, &["https://ethereum-sepolia-rpc.publicnode.com"], address!("1c7D4B196Cb0C7B01d743Fbc6116a902379C7238"), "USDC"),
];

/// Every known network.
#[must_use]
pub fn networks() -> &'static [KnownNetwork] {
    static NETWORKS: LazyLock<Vec<KnownNetwork>> = LazyLock::new(|| TABLE.iter().map(known).collect());
    &NETWORKS
}

/// What is known of a network.
#[must_use]
pub fn network(network: &Network) -> Option<&'static KnownNetwork> {
    networks().iter().find(|known| known.network == *network)
}

fn known(&(name, chain_id, rpc, address, token): &Row) -> KnownNetwork {
    let network = Network::eip155(chain_id);
    let usdc = Asset {
        id: AssetId { network: network.clone(), address },
        name: token.to_owned(),
        version: "2".to_owned(),
        decimals: 6,
        usd: true,
        built_in: true,
    };
    KnownNetwork { network, name, rpc, usdc }
}

#[cfg(test)]
mod tests;
