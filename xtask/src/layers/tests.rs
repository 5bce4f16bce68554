use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What a crate may use; what those may use comes with them.
const MAY_USE: &[(&str, &[&str])] = &[
    ("x402", &[]),
    ("rules", &["x402"]),
    ("ledger", &["x402"]),
    ("store", &["ledger"]),
    ("facilitator", &["ledger"]),
    ("gateway", &["rules", "facilitator"]),
    ("admin", &["rules", "ledger"]),
    ("buyer", &["x402"]),
    ("devnet", &[]),
    ("tollway", &["gateway", "store", "buyer", "devnet", "admin"]),
    ("xtask", &[]),
];

/// What any crate's tests may use on top, but `x402`'s, which is at the bottom: real parts, never one that is above the crate itself.
const TESTS_MAY_USE: &[&str] = &["store", "devnet", "buyer", "rules", "facilitator", "ledger", "x402"];

fn reachable(name: &str) -> BTreeSet<&'static str> {
    let direct = MAY_USE.iter().find(|(own, _)| *own == name).map_or(&[][..], |(_, below)| below);
    direct.iter().flat_map(|below| std::iter::once(*below).chain(reachable(below))).collect()
}

fn members() -> BTreeMap<String, Package> {
    let metadata = MetadataCommand::new().manifest_path(crate::shell::root("Cargo.toml")).no_deps().exec().expect("cargo metadata");
    metadata.packages.into_iter().map(|package| (package.name.to_string(), package)).collect()
}

#[test]
fn arrows_point_down_only() {
    let members = members();
    for (name, package) in &members {
        let known = MAY_USE.iter().any(|(own, _)| own == name);
        assert!(known, "crate {name} is not in the table of layers: say what it may use, here and in ARCHITECTURE.md");
        let below = reachable(name);
        for dependency in package.dependencies.iter().filter(|dependency| members.contains_key(&dependency.name)) {
            let used = dependency.name.as_str();
            let for_tests = dependency.kind == DependencyKind::Development;
            let allowed = below.contains(used) || for_tests && TESTS_MAY_USE.contains(&used) && !reachable(used).contains(name.as_str());
            assert!(allowed, "{name} may not use {used}{}", if for_tests { " in its tests" } else { "" });
        }
    }
}

#[test]
fn the_table_has_no_circle() {
    for (name, _) in MAY_USE {
        assert!(!reachable(name).contains(name), "{name} reaches itself");
    }
}
