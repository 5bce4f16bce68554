//! The assets that may be paid with.

use std::collections::HashMap;

use x402::{Address, Asset, AssetId, B256, Network, eip712};

/// An asset with its EIP-712 domain separator, computed once.
#[derive(Clone, Debug)]
pub struct KnownAsset {
    pub asset: Asset,
    pub domain_separator: B256,
}

/// All configured assets of all networks.
#[derive(Debug, Default)]
pub struct Directory {
    networks: HashMap<Network, HashMap<Address, KnownAsset>>,
}

impl Directory {
    pub fn add(&mut self, network: &Network, chain_id: u64, assets: &[Asset]) {
        let known = self.networks.entry(network.clone()).or_default();
        for asset in assets {
            let domain_separator = eip712::domain_separator(&asset.name, &asset.version, chain_id, asset.id.address);
            known.insert(asset.id.address, KnownAsset { asset: asset.clone(), domain_separator });
        }
    }

    pub fn has(&self, network: &Network) -> bool {
        self.networks.contains_key(network)
    }

    pub fn of(&self, network: &Network, address: Address) -> Option<&KnownAsset> {
        self.networks.get(network)?.get(&address)
    }

    pub fn get(&self, id: &AssetId) -> Option<&KnownAsset> {
        self.of(&id.network, id.address)
    }

    /// The assets of one network.
    pub fn assets(&self, network: &Network) -> impl Iterator<Item = &KnownAsset> {
        self.networks.get(network).into_iter().flat_map(HashMap::values)
    }
}
