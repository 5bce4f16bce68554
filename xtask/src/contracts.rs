//! `xtask contracts [--check]`: compiles `contracts/src` with the pinned Solidity compiler into `contracts/out`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Installs the pinned compiler from the lock file and recompiles every contract. With `check` nothing is written, and
/// the checked-in code must be what the sources compile to, byte for byte.
pub fn run(check: bool) -> anyhow::Result<()> {
    let folder = folder();
    execute(&folder, "npm", &["ci", "--silent"])?;
    let mut arguments = vec!["build.mjs"];
    if check {
        arguments.push("--check");
    }
    execute(&folder, "node", &arguments)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

fn execute(folder: &Path, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let status =
        Command::new(program).args(arguments).current_dir(folder).status().with_context(|| format!("{program} could not be started"))?;
    if !status.success() {
        bail!("{program} {} failed in contracts/: {status}", arguments.join(" "));
    }
    Ok(())
}
