//! Logs, to standard error. No secret ever stands in an event.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

const VARIABLE: &str = "TOLLWAY_LOG";
/// Of servers: ours speak, libraries warn.
pub const SERVER: &str = "warn,tollway=info,gateway=info,facilitator=info,store=info,ledger=info";
/// Of commands whose output is their own.
pub const COMMAND: &str = "warn";

/// Starts logging; `default` is what is logged unless `TOLLWAY_LOG` says. Errors: `TOLLWAY_LOG` is no filter.
pub fn start(format: LogFormat, default: &str) -> Result<(), String> {
    let directives = std::env::var(VARIABLE).ok().filter(|text| !text.trim().is_empty());
    let filter = EnvFilter::builder().parse(directives.as_deref().unwrap_or(default)).map_err(|error| error.to_string())?;
    let events = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    match format {
        LogFormat::Text => events.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => events.json().flatten_event(true).init(),
    }
    Ok(())
}
