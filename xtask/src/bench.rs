//! `cargo xtask bench`: Tollway beside nginx, the official stack and x402-rs, in one run on one machine; writes BENCHMARKS.md.
//!
//! Only ratios mean something: both sides of each are measured in turn, in the same run, against the same chain, origin and load.

mod edge;
mod load;
mod own;
mod paid;
mod peers;
mod process;
mod relay;
mod report;
mod rules;
mod size;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::{shell, tools};
use report::Report;

type Part = (&'static str, fn(&Path, &mut Report) -> anyhow::Result<()>);

const PARTS: &[Part] = &[
    ("edge", edge::measure),
    ("rules", rules::measure),
    ("size", size::measure),
    ("paid", paid::measure),
    ("own", own::measure),
    ("verify", verify::measure),
];

/// Measures these parts (none: all). Only a whole run with the profile that is released writes BENCHMARKS.md.
pub fn run(names: &[String], profile: &str, given: Option<PathBuf>) -> anyhow::Result<()> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|(own, _)| own == name)) {
        bail!("there is no part {unknown}; there are {}", PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
    }
    tools::node_packages()?;
    tools::debian(&[("nginx", "nginx-light"), ("wrk", "wrk"), ("taskset", "util-linux")])?;
    let whole = names.is_empty() && profile == "dist" && given.is_none();
    let program = given.map_or_else(|| build(profile), Ok)?;
    let mut report = Report::default();
    for (name, measure) in PARTS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|own| own == name)) {
        println!("\n==> bench {name}");
        measure(&program, &mut report)?;
    }
    if whole {
        std::fs::write(shell::root("BENCHMARKS.md"), report.page()?)?;
        println!("wrote BENCHMARKS.md");
    }
    Ok(())
}

fn build(profile: &str) -> anyhow::Result<PathBuf> {
    shell::run(shell::cargo().args(["build", "--locked", "--package", "tollway", "--profile", profile]))?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(shell::target(&format!("{folder}/tollway")))
}
