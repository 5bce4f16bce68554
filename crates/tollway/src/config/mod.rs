//! `tollway.toml`: read strictly, with every fault told at once.
//!
//! An unknown key, or a value whose feature is not built yet, is a fault; nothing is ignored. Secrets are named, not written, and are
//! read only by who needs them ([`Config::facilitator`]).

mod fault;
mod network;
mod offering;
mod rule;
mod scalar;
mod secret;
mod table;
mod unbuilt;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use facilitator::{ConfigError, GasLimits, NetworkConfig, SignerKey};
use rules::RuleSet;
use toml::de::DeTable;
use x402::Address;

pub use fault::{Fault, Faults};
pub use network::NetworkChoice;
pub use secret::Secret;

use fault::Source;
use offering::Offering;
use table::{Field, Table};

/// Keys that exist at the top of the file: named to whom a `[section]` swallowed one.
const TOP_KEYS: &[&str] = &[
    "origin",
    "listen",
    "public_url",
    "pay_to",
    "network",
    "store",
    "settle",
    "default",
    "timeout",
    "trusted_proxies",
    "facilitator",
    "mcp",
    "mcp_unpaid",
    "request_buffer",
];

/// How long a settlement is awaited before the payment is answered as pending.
const SETTLE_WITHIN: Duration = Duration::from_secs(30);

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `serve`: origin, payee and networks must be there.
    Gateway,
    /// `facilitator`: only networks must.
    Facilitator,
    /// `ledger`: nothing must.
    Ledger,
    /// `check`: whichever of the two the file is for.
    Check,
}

/// A file that holds together.
#[derive(Debug)]
pub struct Config {
    pub file: PathBuf,
    pub networks: Vec<NetworkChoice>,
    /// Remote facilitators; empty: our own.
    pub remotes: Vec<String>,
    /// The store's URL; its path is meant beside the file.
    pub store: String,
    pub facilitator_server: FacilitatorServer,
    /// Absent where nothing is sold: a file for `facilitator` only.
    pub seller: Option<Seller>,
    pub warnings: Vec<Fault>,
}

/// What the gateway sells, and where.
pub struct Seller {
    pub gateway: gateway::Config,
    pub rules: RuleSet,
    pub pay_to: Address,
}

impl fmt::Debug for Seller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seller").field("gateway", &self.gateway).field("pay_to", &self.pay_to).finish_non_exhaustive()
    }
}

/// `[facilitator_server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacilitatorServer {
    pub listen: SocketAddr,
    pub tokens: Vec<Secret>,
    pub pay_to: Vec<Address>,
}

/// Reads and checks a file.
pub fn load(path: &Path, purpose: Purpose) -> Result<Config, Faults> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, text, purpose),
        Err(error) => {
            let source = Source::new(path, String::new());
            source.fault_of_file(format!("cannot be read: {error}"));
            Err(source.into_faults())
        }
    }
}

/// Checks a file's text.
pub fn parse(path: &Path, text: String, purpose: Purpose) -> Result<Config, Faults> {
    let source = Source::new(path, text);
    let (document, errors) = DeTable::parse_recoverable(source.text());
    for error in &errors {
        source.fault(error.span().unwrap_or(0..0), error.message().replace('\n', ", "));
    }
    let config = errors.is_empty().then(|| read(&source, document.get_ref(), path, purpose));
    drop(document);
    match config {
        Some(config) if source.is_sound() => Ok(Config { warnings: source.take_warnings(), ..config }),
        _ => Err(source.into_faults()),
    }
}

fn read<'a>(source: &'a Source, document: &'a DeTable<'a>, path: &Path, purpose: Purpose) -> Config {
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut top = Table::new(source, "", document, 0..0);
    let offers = ["origin", "pay_to", "rule"].iter().any(|key| document.contains_key(*key));
    let sells = match purpose {
        Purpose::Gateway => true,
        Purpose::Check => offers || !document.contains_key("facilitator_server"),
        Purpose::Facilitator | Purpose::Ledger => false,
    };
    let remotes = top.take("facilitator").map(|field| remotes(&field)).unwrap_or_default();
    let networks = network::read(&mut top, directory, !remotes.is_empty());
    let store = top.take("store").and_then(|field| field.parse("\"sqlite:tollway.db\"", store));
    let section = top.take("facilitator_server").and_then(|field| field.table("[facilitator_server]"));
    let facilitator_server = section.map_or_else(FacilitatorServer::default, |table| facilitator_section(table, directory));
    let offering = Offering::read(&mut top, sells);
    unbuilt::refuse(&mut top, unbuilt::TOP);
    if networks.is_empty() && purpose != Purpose::Ledger && !document.contains_key("network") {
        top.missing("network", "\"base\"");
    }
    top.finish(&[]);
    let seller = offering.filter(|_| source.is_sound()).and_then(|offering| offering.seller(source, &networks));
    Config {
        file: path.to_owned(),
        networks,
        remotes,
        store: store.unwrap_or_else(|| "sqlite:tollway.db".to_owned()),
        facilitator_server,
        seller,
        warnings: Vec::new(),
    }
}

fn remotes(field: &Field<'_>) -> Vec<String> {
    let elements = field.list("URLs such as [\"https://…\"]").unwrap_or_default();
    let url = |element: &Field<'_>| {
        element.parse("\"https://…\"", |text| scalar::http_url(text).map(|_| text.trim_end_matches('/').to_owned()))
    };
    elements.iter().filter_map(url).collect()
}

fn store(text: &str) -> Result<String, String> {
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return Err("PostgreSQL is not built yet; write \"sqlite:tollway.db\"".to_owned());
    }
    match text.strip_prefix("sqlite:") {
        Some(path)
            if !path.is_empty() && !path.contains('?') && (!path.starts_with("//") || path.starts_with("///")) && path != ":memory:" =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!("\"{text}\" is no store; write \"sqlite:\" and a file, such as \"sqlite:tollway.db\"")),
    }
}

impl Default for FacilitatorServer {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 4022)), tokens: Vec::new(), pay_to: Vec::new() }
    }
}

fn facilitator_section(mut table: Table<'_>, directory: &Path) -> FacilitatorServer {
    let mut server = FacilitatorServer::default();
    let listen = table.take("listen");
    server.listen = listen.as_ref().and_then(|field| field.parse("\"127.0.0.1:4022\"", scalar::listen)).unwrap_or(server.listen);
    for token in table.take("tokens").into_iter().flat_map(|field| field.secret().list("bearer tokens").unwrap_or_default()) {
        server.tokens.extend(bearer_token(&token, directory));
    }
    server.pay_to = table.take("pay_to").map(|field| network::addresses(&field)).unwrap_or_default();
    if let Some(field) = listen.filter(|_| !server.listen.ip().is_loopback() && server.tokens.is_empty() && server.pay_to.is_empty()) {
        field.wrong(
            "who can reach it could spend the signer's gas; add tokens = [{ env = \"…\" }] or pay_to = [\"0x…\"], or listen on 127.0.0.1",
        );
    }
    table.finish(&[]);
    server
}

/// A token in the file, or where it is.
fn bearer_token(field: &Field<'_>, directory: &Path) -> Option<Secret> {
    match field.as_text() {
        Some(token) if token.len() >= 16 && token.bytes().all(|b| b.is_ascii_graphic()) => Some(Secret::literal(token)),
        Some(_) => {
            field.wrong("a bearer token has at least 16 printable characters, and no spaces");
            None
        }
        None => network::secret(field, directory, "TOLLWAY_FACILITATOR_TOKEN"),
    }
}

impl Config {
    /// The folder that paths in the file are meant from.
    pub fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The file of the books.
    pub fn store_path(&self) -> PathBuf {
        self.directory().join(self.store.trim_start_matches("sqlite:"))
    }

    /// Reads the signers' keys, and puts together what the facilitator needs.
    pub fn facilitator(&self) -> Result<facilitator::Config, Faults> {
        let mut missing: Vec<(String, Vec<&str>)> = Vec::new();
        let mut networks = Vec::new();
        for choice in &self.networks {
            // Remote facilitators settle with signers of their own.
            let own = choice.signers.iter().filter(|_| self.remotes.is_empty());
            let (signers, failed): (Vec<_>, Vec<_>) = own.map(signer).partition(Result::is_ok);
            for message in failed.into_iter().filter_map(Result::err) {
                match missing.iter_mut().find(|(known, _)| *known == message) {
                    Some((_, networks)) => networks.push(choice.network.as_str()),
                    None => missing.push((message, vec![choice.network.as_str()])),
                }
            }
            networks.push(NetworkConfig {
                network: choice.network.clone(),
                rpc: choice.rpc.clone(),
                signers: signers.into_iter().flatten().collect(),
                finality: choice.finality,
                assets: choice.assets.clone(),
                factories: choice.factories.clone(),
                gas: GasLimits::default(),
            });
        }
        if missing.is_empty() {
            return Ok(facilitator::Config { networks, remotes: self.remotes.clone(), settle_within: SETTLE_WITHIN });
        }
        let fault =
            |(message, networks): (String, Vec<&str>)| Fault::of_file(format!("the signer's key of {}: {message}", networks.join(", ")));
        Err(Faults { file: self.file.display().to_string(), faults: missing.into_iter().map(fault).collect() })
    }

    /// What the keys themselves make doubtful: the signer should hold gas only, never revenue.
    pub fn warnings_of_keys(&self, facilitator: &facilitator::Config) -> Vec<Fault> {
        let Some(seller) = &self.seller else { return Vec::new() };
        let shared = facilitator.networks.iter().filter(|n| n.signers.iter().any(|key| key.address() == seller.pay_to));
        let warning = |n: &NetworkConfig| {
            Fault::of_file(format!("the signer of {} is `pay_to` itself: a key that stands on a server then holds the revenue", n.network))
        };
        shared.map(warning).collect()
    }
}

fn signer(secret: &Secret) -> Result<SignerKey, String> {
    let text = secret.read().map_err(|error| error.to_string())?;
    text.parse().map_err(|error: ConfigError| format!("{secret}: {error}"))
}

#[cfg(test)]
mod tests;
