//! The servers that are measured: Tollway and what it is compared with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use super::{load, process};
use crate::interop::stage::{PAY_TO, SIGNER_KEY, script};
use crate::net::Rpc;
use crate::process::{Server, free_url};
use crate::shell;

/// A second account of the development chain, so that nobody shares an account nonce.
const PEER_KEY: &str = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

pub struct Peer {
    pub url: String,
    /// The processes that do its work.
    pub pids: Vec<u32>,
    _servers: Vec<Server>,
}

/// A folder of its own for a server, empty.
pub fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = shell::target(&format!("bench/{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The part of a configuration that names the chain.
pub fn network(rpc: &str) -> String {
    format!("[[networks]]\nid = \"eip155:84532\"\nrpc = [\"{rpc}\"]\nsigner = {{ env = \"TOLLWAY_SIGNER_KEY\" }}\n")
}

/// `tollway serve` before an origin; `rules` are `[[rule]]` tables. On one processor it has one worker.
pub fn gateway(program: &Path, name: &str, origin: &str, rpc: &str, rules: &str, processor: Option<usize>) -> anyhow::Result<Peer> {
    configured(program, name, origin, rpc, "", rules, processor)
}

/// The same on all processors; `more` is put at the top of the configuration.
pub fn gateway_with(program: &Path, name: &str, origin: &str, rpc: &str, more: &str, rules: &str) -> anyhow::Result<Peer> {
    configured(program, name, origin, rpc, more, rules, None)
}

fn configured(
    program: &Path,
    name: &str,
    origin: &str,
    rpc: &str,
    more: &str,
    rules: &str,
    processor: Option<usize>,
) -> anyhow::Result<Peer> {
    let folder = folder(name)?;
    let url = free_url()?;
    let listen = url.trim_start_matches("http://");
    let top = format!(
        "origin = \"{origin}\"\nlisten = \"{listen}\"\npublic_url = \"{url}\"\npay_to = \"{PAY_TO}\"\nnetwork = \"eip155:84532\"\n"
    );
    fs::write(folder.join("tollway.toml"), format!("{top}{more}{}{rules}", network(rpc)))?;
    tollway(program, name, "serve", &folder, url, processor)
}

/// `tollway facilitator` on a chain.
pub fn our_facilitator(program: &Path, rpc: &str) -> anyhow::Result<Peer> {
    let folder = folder("facilitator")?;
    let url = free_url()?;
    let listen = url.trim_start_matches("http://");
    let config = format!("network = \"eip155:84532\"\n[facilitator_server]\nlisten = \"{listen}\"\n{}", network(rpc));
    fs::write(folder.join("tollway.toml"), config)?;
    tollway(program, "facilitator", "facilitator", &folder, url, None)
}

fn tollway(program: &Path, name: &str, verb: &str, folder: &Path, url: String, processor: Option<usize>) -> anyhow::Result<Peer> {
    let mut command = processor.map_or_else(|| shell::command(program), |processor| load::pinned(processor, program));
    command.arg(verb).arg("--config").arg(folder.join("tollway.toml")).env("TOLLWAY_SIGNER_KEY", SIGNER_KEY);
    let mut server = Server::start(&format!("bench-{name}"), &mut command)?;
    server.listens(&url)?;
    Ok(Peer { pids: vec![server.pid()], url, _servers: vec![server] })
}

/// nginx with one worker; `locations` is the inside of its server block, `upstream` where a proxied request goes.
pub fn nginx(name: &str, locations: &str, upstream: Option<&str>, processor: usize) -> anyhow::Result<Peer> {
    let folder = folder(name)?;
    let url = free_url()?;
    let upstream = upstream.map_or_else(String::new, |origin| {
        format!("upstream origin {{ server {}; keepalive 64; keepalive_requests 1000000000; }}", origin.trim_start_matches("http://"))
    });
    let here = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; {upstream}\n\
         client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fcgi; uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;\n\
         server {{ listen {}; {locations} }} }}\n",
        url.trim_start_matches("http://")
    );
    fs::write(folder.join("nginx.conf"), config)?;
    let nginx = ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).is_file()).unwrap_or("nginx");
    let mut command = load::pinned(processor, nginx);
    command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(&folder).arg("-e").arg(folder.join("error.log"));
    let mut server = Server::start(&format!("bench-{name}"), &mut command)?;
    server.listens(&url)?;
    let pids = process::children(server.pid())?;
    anyhow::ensure!(!pids.is_empty(), "nginx has no worker");
    Ok(Peer { url, pids, _servers: vec![server] })
}

/// The origin behind everything: nginx on the second processor with one KiB of text.
pub fn origin() -> anyhow::Result<Peer> {
    nginx("origin", &format!("location / {{ default_type text/plain; return 200 '{}'; }}", "x".repeat(1024)), None, 1)
}

/// The official TypeScript facilitator.
pub fn official_facilitator(rpc: &str) -> anyhow::Result<Peer> {
    announced("official-facilitator", script("facilitator.mjs").env("RPC_URL", rpc).env("PRIVATE_KEY", PEER_KEY))
}

/// The official Express seller with the official TypeScript facilitator.
pub fn official_seller(rpc: &str) -> anyhow::Result<Peer> {
    let facilitator = official_facilitator(rpc)?;
    let mut seller = announced("official-seller", script("seller.mjs").env("FACILITATOR_URL", &facilitator.url).env("PAY_TO", PAY_TO))?;
    seller.pids.extend(&facilitator.pids);
    seller._servers.extend(facilitator._servers);
    Ok(seller)
}

/// Contracts that x402-rs looks for when it starts; payments of plain wallets never call them.
const LOOKED_FOR: [&str; 3] = [
    "0xdAcD51A54883eb67D95FAEb2BBfdC4a9a6BD2a3B",
    "0x000000000022D473030F116dDEE9F6B43aC78BA3",
    "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
];

/// The facilitator of x402-rs, built from its published crates in a project of its own below `target/`.
pub fn x402_rs(rpc: &Rpc) -> anyhow::Result<Peer> {
    for address in LOOKED_FOR {
        rpc.call("anvil_setCode", json!([address, "0x00"]))?;
    }
    let project = shell::target("bench-peer");
    fs::create_dir_all(project.join("src"))?;
    write_if_new(&project.join("Cargo.toml"), include_str!("peer/Cargo.toml.in"))?;
    write_if_new(&project.join("src/main.rs"), include_str!("peer/main.rs.in"))?;
    shell::run(shell::cargo().args(["build", "--quiet", "--release", "--target-dir", "target"]).current_dir(&project))?;
    let program = project.join("target/release/bench-peer");
    announced("x402-rs", shell::command(program).env("RPC_URL", &rpc.url).env("PRIVATE_KEY", PEER_KEY).env("PORT", "0"))
}

fn announced(name: &str, command: &mut std::process::Command) -> anyhow::Result<Peer> {
    let mut server = Server::start(&format!("bench-{name}"), command)?;
    let url = server.announced()?["url"].as_str().context("a URL")?.to_owned();
    Ok(Peer { url, pids: vec![server.pid()], _servers: vec![server] })
}

/// Leaves the file's time alone where nothing changes, so that cargo builds nothing.
fn write_if_new(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| path.display().to_string())
}
