#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn caip2_ids_are_parsed() {
    for id in [
        "eip155:1",
        "eip155:8453",
        "eip155:18446744073709551615",
        "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
        "bip122:000000000019d6689c085ae165831e93",
    ] {
        assert_eq!(Network::parse(id).unwrap().as_str(), id);
    }
}

/// One chain has one spelling; else one payment had two keys.
#[test]
fn other_spellings_are_refused() {
    let refused = [
        "",
        ":",
        "base",
        "eip155",
        "eip155:",
        "eip155:08453",
        "eip155:+8453",
        "eip155:0x2105",
        "eip155:8453 ",
        " eip155:8453",
        "EIP155:8453",
        "eip155:８４５３",
        "eip155:18446744073709551616",
        "eip155:8453:1",
        "eip155:-1",
        "ab:1",
        "toolongns:1",
        "sol ana:1",
        "solana:",
        "solana:a/b",
        "eip155:8453/erc20",
    ];
    for id in refused {
        assert_eq!(Network::parse(id), Err(UnknownNetwork(id.to_owned())), "{id:?}");
    }
    assert!(Network::parse(&format!("solana:{}", "a".repeat(33))).is_err());
}

#[test]
fn chain_ids_are_for_evm_chains() {
    assert_eq!(Network::eip155(8453).chain_id(), Some(8453));
    assert_eq!(Network::parse("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp").unwrap().chain_id(), None);
}

#[test]
fn operators_may_write_short_names() {
    for (name, id) in
        [("base", 8453), ("base-sepolia", 84532), ("ethereum", 1), ("sepolia", 11_155_111), ("arbitrum", 42161), ("peaq", 3338)]
    {
        assert_eq!(Network::from_name(name), Ok(Network::eip155(id)), "{name}");
    }
    assert_eq!(Network::from_name("eip155:31337"), Ok(Network::eip155(31337)));
    for name in ["", "Base", "base ", "nowhere", "eip155:x"] {
        assert!(Network::from_name(name).is_err(), "{name:?}");
    }
}

#[test]
fn version_1_names_go_both_ways() {
    for (name, id) in V1_NAMES {
        let network = Network::from_v1_name(name).unwrap();
        assert_eq!(network, Network::eip155(id));
        assert_eq!(network.v1_name(), Some(name));
    }
    for name in ["ethereum", "arbitrum", "optimism", "story", "solana", "eip155:8453", "Base", ""] {
        assert_eq!(Network::from_v1_name(name), None, "{name:?}");
    }
    for id in [1, 10, 42161] {
        assert_eq!(Network::eip155(id).v1_name(), None, "{id}");
    }
}
