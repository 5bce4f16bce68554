//! `cargo xtask interop`: the official clients, sellers and facilitators against Tollway, on Anvil and on the devnet.

mod checks;
mod origin;
pub mod stage;

use std::time::Instant;

use anyhow::bail;

use crate::{shell, tools};

/// Runs the checks of these names (none: all) and answers how many passed.
pub fn run(names: &[String]) -> anyhow::Result<usize> {
    let known = checks::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no check {unknown}; there are {}", known.join(", "));
    }
    tools::node_packages()?;
    tools::python()?;
    shell::run(shell::cargo().args(["build", "--locked", "--package", "tollway"]))?;
    let mut failed = Vec::new();
    let wanted = checks::ALL.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|own| own == name)).collect::<Vec<_>>();
    for (name, check) in &wanted {
        let start = Instant::now();
        match check() {
            Ok(()) => println!("ok      {:6.1} s  interop {name}", start.elapsed().as_secs_f32()),
            Err(error) => {
                println!("FAILED  {:6.1} s  interop {name}: {error:#}", start.elapsed().as_secs_f32());
                failed.push(*name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("{} failed: {} (logs are in target/interop/)", failed.len(), failed.join(", "));
    }
    Ok(wanted.len())
}
