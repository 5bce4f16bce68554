#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use std::collections::HashSet;

#[test]
fn names_and_networks_are_unique_and_found() {
    let names: HashSet<_> = networks().iter().map(|known| known.name).collect();
    let ids: HashSet<_> = networks().iter().map(|known| known.network.clone()).collect();
    assert_eq!((names.len(), ids.len()), (12, 12));
    for known in networks() {
        assert_eq!(network(&known.network).map(|found| found.name), Some(known.name));
        assert_eq!(Network::from_name(known.name), Ok(known.network.clone()));
        assert_eq!(known.usdc.id.network, known.network);
        assert!(known.rpc.iter().all(|url| url.starts_with("https://")) && !known.rpc.is_empty(), "{}", known.name);
    }
    assert!(network(&Network::eip155(31337)).is_none());
}

#[test]
fn version_1_names_agree_with_ours() {
    for known in networks() {
        if let Some(name) = known.network.v1_name() {
            assert_eq!(name, known.name);
        }
    }
}
