//! `cargo xtask vectors [--check]`: the protocol's test vectors, made by the official npm and PyPI packages.

use crate::{shell, tools};

/// What the generator said.
pub fn run(check: bool) -> anyhow::Result<String> {
    tools::node_packages()?;
    let mut command = shell::command("node");
    command.arg("interop/vectors/generate.mjs").args(check.then_some("--check")).env("PYTHON", tools::python()?);
    Ok(shell::output(&mut command)?.trim().to_owned())
}
