//! What the tests need beside the toolchain, installed once below `target/` and `interop/node_modules`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::shell;

/// The npm packages of `interop/`, exactly as locked; no script of theirs is run.
pub fn node_packages() -> anyhow::Result<()> {
    let lock = shell::root("interop/package-lock.json");
    let stamp = shell::root("interop/node_modules/.tollway-stamp");
    if same(&lock, &stamp) {
        return Ok(());
    }
    if !shell::works("npm", "--version") {
        bail!("npm is missing: install Node.js 20 or newer with npm");
    }
    shell::run(shell::command("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(shell::root("interop")))
        .context("the npm packages of interop/ could not be installed")?;
    fs::copy(lock, stamp).map(drop).context("the stamp of the npm packages could not be written")
}

/// The Anvil that npm carries for Linux on x86-64; elsewhere one that is installed.
pub fn anvil() -> anyhow::Result<PathBuf> {
    node_packages()?;
    let carried = shell::root("interop/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil");
    let found = [carried, PathBuf::from("anvil")].into_iter().find(|path| shell::works(path, "--version"));
    found.context("Anvil is missing: install Foundry, so that `anvil` is on the path")
}

/// The interpreter of a virtual environment with the PyPI packages of `interop/requirements.txt`.
pub fn python() -> anyhow::Result<PathBuf> {
    let home = shell::target("interop-venv");
    let python = home.join("bin/python");
    let wanted = shell::root("interop/requirements.txt");
    let stamp = home.join("requirements.txt");
    if same(&wanted, &stamp) {
        return Ok(python);
    }
    virtual_environment(&home)?;
    shell::run(
        shell::command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&wanted),
    )
    .context("the Python packages of interop/requirements.txt could not be installed")?;
    fs::copy(wanted, stamp).context("the stamp of the Python packages could not be written")?;
    Ok(python)
}

/// A cargo-deny: one that is installed, the one that PyPI carries, or one built for us.
pub fn cargo_deny() -> anyhow::Result<PathBuf> {
    let installed = PathBuf::from("cargo-deny");
    let carried = python()?.with_file_name("cargo-deny");
    let built = shell::target("tools/bin/cargo-deny");
    if let Some(found) = [installed, carried, built.clone()].into_iter().find(|path| shell::works(path, "--version")) {
        return Ok(found);
    }
    shell::run(shell::cargo().args(["install", "--quiet", "--locked", "cargo-deny@0.20.2", "--root"]).arg(shell::target("tools")))
        .context("cargo-deny could not be built: install it by hand")?;
    Ok(built)
}

/// Programs of Debian packages: those that are missing are installed where we may, else named.
pub fn debian(programs: &[(&str, &str)]) -> anyhow::Result<()> {
    let missing = programs.iter().filter(|(program, _)| !on_path(program)).map(|(_, package)| *package).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(());
    }
    if !on_path("apt-get") || !is_root()? {
        bail!("missing: install the Debian packages {}", missing.join(" "));
    }
    let install = |step: &[&str]| {
        shell::run(shell::command("apt-get").args(["-qq", "-o=Dpkg::Use-Pty=0"]).args(step).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install(&["update"])?;
    install(&[&["install", "-y", "--no-install-recommends"], missing.as_slice()].concat())
}

fn virtual_environment(home: &Path) -> anyhow::Result<()> {
    let make = || shell::run(shell::command("python3").args(["-m", "venv", "--clear"]).arg(home));
    if !shell::works("python3", "--version") {
        debian(&[("python3", "python3-venv")]).context("Python 3.11 or newer is needed")?;
    }
    if make().is_ok() {
        return Ok(());
    }
    // Debian keeps the module in a package of its own.
    debian(&[("python3-venv", "python3-venv")]).context("python3 has no venv module")?;
    make()
}

fn same(left: &Path, right: &Path) -> bool {
    matches!((fs::read(left), fs::read(right)), (Ok(left), Ok(right)) if left == right)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).any(|folder| folder.join(program).is_file())
}

fn is_root() -> anyhow::Result<bool> {
    Ok(shell::output(shell::command("id").arg("-u"))?.trim() == "0")
}
