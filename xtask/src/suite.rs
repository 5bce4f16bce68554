//! `cargo xtask test`: everything that must hold, in the order of its cost.

use anyhow::bail;

use crate::steps::Steps;
use crate::{contracts, interop, shell, tools, vectors};

pub fn run(quick: bool) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    steps.step("cargo fmt --check", || shell::run(shell::cargo().args(["fmt", "--all", "--check"])).map(|()| 0));
    steps.step("cargo clippy", || {
        shell::run(shell::cargo().args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])).map(|()| 0)
    });
    if !quick {
        steps.step("install the official packages", || tools::node_packages().and_then(|()| tools::python().map(|_| 0)));
    }
    steps.step("cargo test", || cargo_test(quick));
    if !quick {
        steps.step("cargo deny", || {
            shell::run(shell::command(tools::cargo_deny()?).args(["--locked", "check", "licenses", "bans", "sources"])).map(|()| 0)
        });
        steps.step("contracts are what their sources compile to", || contracts::run(true).map(|()| 0));
        steps.step("vectors are what the official packages make", || {
            vectors::run(true).map(|said| {
                println!("{said}");
                0
            })
        });
        steps.step("official clients, sellers and facilitators", || interop::run(&[]));
    }
    steps.finish()
}

/// The whole workspace's tests: with nextest where it is installed, else with cargo alone. Unless it must be quick, the rules
/// language is compared with Cloudflare's own parser, which is among the Python packages.
fn cargo_test(quick: bool) -> anyhow::Result<usize> {
    let mut command = shell::cargo();
    if !quick {
        command.env("TOLLWAY_ORACLE_PYTHON", tools::python()?);
    }
    if shell::works("cargo-nextest", "--version") {
        command.args(["nextest", "run", "--workspace", "--locked", "--profile", "ci"]);
    } else {
        command.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    }
    let (good, said) = shell::tee(&mut command)?;
    if !good {
        bail!("run `cargo nextest run -p CRATE` or `cargo test -p CRATE` for the crate named above");
    }
    Ok(passed(&said))
}

/// The sum of all `N passed` that a test runner wrote.
fn passed(said: &str) -> usize {
    let words = said.split_whitespace().collect::<Vec<_>>();
    words.windows(2).filter(|pair| pair[1].starts_with("passed")).filter_map(|pair| pair[0].parse::<usize>().ok()).sum()
}

#[cfg(test)]
#[test]
fn both_runners_are_counted() {
    assert_eq!(passed("Summary [   0.003s] 3 tests run: 3 passed, 0 skipped"), 3);
    assert_eq!(passed("test result: ok. 2 passed; 0 failed;\ntest result: ok. 40 passed; 0 failed;"), 42);
}
