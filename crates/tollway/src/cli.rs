//! The command line (DESIGN §1).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A reverse proxy that charges for what stands behind it, over x402.
#[derive(Parser, Debug)]
#[command(name = "tollway", version, after_help = "Try it, with nothing to install:\n  tollway demo")]
pub struct Cli {
    /// How logs are written to standard error; what is logged: TOLLWAY_LOG, e.g. `info,gateway=debug`
    #[arg(long, global = true, value_enum, default_value = "text", env = "TOLLWAY_LOG_FORMAT")]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// A chain, a token, an origin and the gateway in one process, nothing to install
    #[command(
        after_help = "Examples:\n  tollway demo\n  tollway demo --once            one payment, then the end\n  tollway demo --port 0 --chain-port 0 --origin-port 0 --json"
    )]
    Demo(Demo),
    /// The gateway
    #[command(
        after_help = "Examples:\n  TOLLWAY_SIGNER_KEY=0x… tollway serve\n  tollway serve --config /etc/tollway.toml --log-format json\n\nSIGHUP or a change of the file reloads it; SIGTERM and Ctrl-C end gracefully."
    )]
    Serve(ConfigFile),
    /// Only the facilitator: /verify /settle /supported
    #[command(after_help = "Example:\n  TOLLWAY_SIGNER_KEY=0x… tollway facilitator --config tollway.toml")]
    Facilitator(ConfigFile),
    /// Says whether a configuration is sound, and how it would decide a request
    #[command(
        after_help = "Examples:\n  tollway check --strict\n  tollway check --explain GET https://api.example.com/reports/q3 -H 'user-agent: curl/8'\n\nExit: 0 clean, 1 errors (with --strict also warnings), 2 usage."
    )]
    Check(Check),
    /// Fetches a URL and pays for it, if it costs no more than --max
    #[command(
        after_help = "Examples:\n  TOLLWAY_BUYER_KEY=0x… tollway pay https://api.example.com/reports/q3\n  tollway pay https://api.example.com/ask -d '{\"q\":\"why?\"}' --max 0.50 --key-file buyer.key --json\n\nThe body goes to standard output, the receipt to standard error.\nExit: 0 a 2xx answer, 2 usage, 3 dearer than --max (nothing signed), 4 refused, 5 settlement pending, 1 else."
    )]
    Pay(Pay),
    /// What the books say of payments
    #[command(
        after_help = "Examples:\n  tollway ledger list --state settled\n  tollway ledger list --json | jq .amount\n  tollway ledger show pay_0123456789abcdef0123456789abcdef"
    )]
    Ledger(Ledger),
    /// The agent's wallet as an MCP server (not built yet)
    Mcp(Unbuilt),
}

#[derive(Args, Debug)]
pub struct ConfigFile {
    /// The configuration file
    #[arg(long, default_value = "tollway.toml", value_name = "FILE")]
    pub config: PathBuf,
}

#[derive(Args, Debug)]
pub struct Demo {
    /// The gateway's port; 0 picks a free one
    #[arg(long, default_value_t = 4020)]
    pub port: u16,
    /// The chain's port; 0 picks a free one
    #[arg(long, default_value_t = 8545)]
    pub chain_port: u16,
    /// The origin's port; 0 picks a free one
    #[arg(long, default_value_t = 3000)]
    pub origin_port: u16,
    /// Ends after the first settled payment
    #[arg(long)]
    pub once: bool,
    /// One JSON line when ready, then one for each payment it makes
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
pub struct Check {
    #[command(flatten)]
    pub file: ConfigFile,
    /// Warnings count as errors
    #[arg(long)]
    pub strict: bool,
    /// How each rule decides this request, and what it costs
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"])]
    pub explain: Option<Vec<String>>,
    /// A header of that request, 'name: value'
    #[arg(short = 'H', long = "header", value_name = "HEADER", requires = "explain")]
    pub headers: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Pay {
    /// What to fetch
    pub url: String,
    /// The method; GET, or POST with --data
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    pub method: Option<String>,
    /// A header, 'name: value'
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// The request's body, or @FILE
    #[arg(short = 'd', long = "data", value_name = "DATA|@FILE")]
    pub data: Option<String>,
    /// The most to pay, in US dollars
    #[arg(long, default_value = "0.10", value_name = "USD")]
    pub max: buyer::Usd,
    /// Pay on this network only: "base" or "eip155:8453"
    #[arg(long, value_name = "ID", value_parser = network)]
    pub network: Option<x402::Network>,
    /// The payer's private key in hex; else the environment's TOLLWAY_BUYER_KEY
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// One JSON object with body and receipt on standard output
    #[arg(long)]
    pub json: bool,
}

fn network(text: &str) -> Result<x402::Network, x402::network::UnknownNetwork> {
    x402::Network::from_name(text)
}

#[derive(Args, Debug)]
pub struct Ledger {
    #[arg(long, global = true, default_value = "tollway.toml", value_name = "FILE", help = "The configuration file")]
    pub config: PathBuf,
    #[command(subcommand)]
    pub command: LedgerCommand,
}

#[derive(Subcommand, Debug)]
pub enum LedgerCommand {
    /// Payments, newest first
    List(LedgerList),
    /// Everything of one payment, its entries included
    Show {
        /// pay_ and 32 hex digits
        id: x402::PaymentId,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// All entries as CSV or JSON lines (not built yet)
    Export(Unbuilt),
    /// Compares the books with the chain (not built yet)
    Reconcile(Unbuilt),
}

#[derive(Args, Debug)]
pub struct LedgerList {
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Only this state: claimed, pending, settled, released, failed or lost
    #[arg(long, value_parser = states)]
    pub state: Option<States>,
    /// Only this network
    #[arg(long, value_name = "ID", value_parser = network)]
    pub network: Option<x402::Network>,
    /// Only this payer
    #[arg(long, value_name = "ADDRESS")]
    pub payer: Option<x402::Address>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Only payments claimed before this one
    #[arg(long, value_name = "ID")]
    pub before: Option<x402::PaymentId>,
}

/// The states of the books that share a word on the wire.
#[derive(Clone, Debug)]
pub struct States(pub Vec<ledger::State>);

fn states(text: &str) -> Result<States, String> {
    let found: Vec<_> = ledger::State::ALL.into_iter().filter(|state| state.on_the_wire() == text).collect();
    match found.is_empty() {
        true => Err("known are claimed, pending, settled, released, failed and lost".to_owned()),
        false => Ok(States(found)),
    }
}

/// Whatever follows a command that is not built yet.
#[derive(Args, Debug)]
pub struct Unbuilt {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<String>,
}
