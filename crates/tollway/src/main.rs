//! `tollway`: the command line, and the only place where the real parts meet.

mod books;
mod cli;
mod commands;
mod config;
mod log;
mod running;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, LedgerCommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a wrong command line, as clap's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_server = matches!(cli.command, Command::Serve(_) | Command::Facilitator(_));
    let as_event = is_server && cli.log_format == cli::LogFormat::Json;
    let default = if is_server { log::SERVER } else { log::COMMAND };
    if let Err(error) = log::start(cli.log_format, default) {
        eprintln!("error: TOLLWAY_LOG: {error}");
        return ExitCode::from(USAGE);
    }
    let done = match cli.command {
        Command::Serve(args) => commands::serve::serve(&args.config),
        Command::Facilitator(args) => commands::facilitator::serve(&args.config),
        Command::Check(args) => commands::check::check(&args),
        Command::Pay(args) => commands::pay::pay(args),
        Command::Ledger(cli::Ledger { config, command }) => match command {
            LedgerCommand::List(args) => commands::ledger::list(&config, &args),
            LedgerCommand::Show { id, json } => commands::ledger::show(&config, id, json),
            LedgerCommand::Export(_) => Ok(unbuilt("ledger export")),
            LedgerCommand::Reconcile(_) => Ok(unbuilt("ledger reconcile")),
        },
        Command::Mcp(_) => Ok(unbuilt("mcp")),
        Command::Demo(args) => commands::demo::demo(&args),
    };
    done.unwrap_or_else(|error| {
        report(&error, as_event);
        ExitCode::FAILURE
    })
}

/// Why a command ended. `as_event`: in the log, for the programs that read it.
fn report(error: &anyhow::Error, as_event: bool) {
    match error.downcast_ref::<config::Faults>() {
        _ if as_event => tracing::error!("{error:#}"),
        // Each fault says by itself that it is one.
        Some(faults) => eprintln!("{faults}"),
        None => eprintln!("error: {error:#}"),
    }
}

fn unbuilt(command: &str) -> ExitCode {
    eprintln!("error: `tollway {command}` is not built yet");
    ExitCode::from(USAGE)
}
