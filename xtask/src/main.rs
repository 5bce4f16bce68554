//! Automation of this repository: `cargo xtask COMMAND`.

mod bench;
mod contracts;
mod interop;
mod layers;
mod net;
mod process;
mod shell;
mod steps;
mod suite;
mod tidy;
mod tools;
mod vectors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Automation of this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is needed and run all tests
    Test {
        /// Only the Rust part: fmt, clippy, tests
        #[arg(long)]
        quick: bool,
    },
    /// Make the protocol's test vectors with the official packages
    Vectors {
        /// Compare with what is checked in, write nothing
        #[arg(long)]
        check: bool,
    },
    /// Run the official clients, sellers and facilitators against Tollway
    Interop {
        /// Only these checks
        names: Vec<String>,
    },
    /// Measure beside nginx, the official stack and x402-rs
    Bench {
        /// Only these parts; then BENCHMARKS.md is left alone
        parts: Vec<String>,
        /// The profile to build with
        #[arg(long, default_value = "dist")]
        profile: String,
        /// Measure this program as it is; then BENCHMARKS.md is left alone
        #[arg(long)]
        program: Option<std::path::PathBuf>,
    },
    /// Compile the contracts
    Contracts {
        /// Compare with what is checked in, write nothing
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test { quick } => suite::run(quick),
        Command::Vectors { check } => vectors::run(check).map(|said| println!("{said}")),
        Command::Interop { names } => interop::run(&names).map(|passed| println!("\n{passed} passed, 0 failed")),
        Command::Bench { parts, profile, program } => bench::run(&parts, &profile, program),
        Command::Contracts { check } => contracts::run(check),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
