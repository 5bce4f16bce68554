//! What the checks stand on: a chain with our token, the official scripts, and Tollway in front of a recording origin.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use super::origin::Origin;
use crate::net::{Client, Response, Rpc};
use crate::process::{Server, free_url};
use crate::{shell, tools};

/// Where Base Sepolia has its USDC, and our token stands for it.
pub const TOKEN: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
pub const PAY_TO: &str = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
/// The first two accounts of every development chain: one pays the gas, one buys.
pub const SIGNER_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
pub const BUYER_KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const BUYER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// The price of everything in these tests.
pub const PRICE: u128 = 10_000;

pub struct Anvil {
    _server: Server,
    pub rpc: Rpc,
}

impl Anvil {
    /// A fresh chain that stands for Base Sepolia: a block for every transaction, or one every `block_seconds`.
    pub fn start(name: &str, block_seconds: Option<u32>) -> anyhow::Result<Self> {
        let url = free_url()?;
        let (_, port) = url.rsplit_once(':').context("a port")?;
        let mut command = shell::command(tools::anvil()?);
        command.args(["--host", "127.0.0.1", "--chain-id", "84532", "--silent", "--port", port]);
        if let Some(seconds) = block_seconds {
            command.args(["--block-time", &seconds.to_string()]);
        }
        let mut server = Server::start(&format!("{name}-anvil"), &mut command)?;
        server.listens(&url)?;
        shell::run(script("fund.mjs").env("RPC_URL", &url).env("BUYERS", BUYER)).context("the token could not be set up")?;
        Ok(Self { _server: server, rpc: Rpc { url } })
    }
}

/// `tollway serve` before a recording origin, with a folder of its own for configuration and books.
pub struct Gateway {
    pub server: Server,
    pub url: String,
    pub origin: Origin,
    name: String,
    folder: PathBuf,
}

impl Gateway {
    /// `more` is put at the top of the configuration. With remote facilitators no signer is configured.
    pub fn start(name: &str, rpc: &str, more: &str) -> anyhow::Result<Self> {
        let folder = shell::target(&format!("interop/{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let (url, origin) = (free_url()?, Origin::start()?);
        let listen = url.trim_start_matches("http://");
        let signer = if more.contains("facilitator =") { "" } else { "signer = { env = \"TOLLWAY_SIGNER_KEY\" }" };
        let config = format!(
            r#"origin = "{}"
listen = "{listen}"
public_url = "{url}"
pay_to = "{PAY_TO}"
network = "eip155:84532"
{more}
[[networks]]
id = "eip155:84532"
rpc = ["{rpc}"]
{signer}
[[rule]]
id = "paid"
when = 'starts_with(http.request.uri.path, "/paid")'
price = "$0.01"
"#,
            origin.url
        );
        fs::write(folder.join("tollway.toml"), config)?;
        let server = Self::serve(name, &folder, &url)?;
        Ok(Self { server, url, origin, name: name.to_owned(), folder })
    }

    /// Starts it again on the same configuration and books.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.server = Self::serve(&format!("{}-again", self.name), &self.folder, &self.url)?;
        Ok(())
    }

    fn serve(name: &str, folder: &std::path::Path, url: &str) -> anyhow::Result<Server> {
        let mut command = tollway()?;
        let mut server = Server::start(
            name,
            command.arg("serve").arg("--config").arg(folder.join("tollway.toml")).env("TOLLWAY_SIGNER_KEY", SIGNER_KEY),
        )?;
        server.listens(url)?;
        Ok(server)
    }

    /// What is priced.
    pub fn paid(&self) -> String {
        format!("{}/paid", self.url)
    }

    /// The first payment: until the network is ready they are answered 503.
    pub fn warm(&self) -> anyhow::Result<()> {
        let payment = sign(&self.paid(), 1)?.pop().context("a signed payment")?;
        for _ in 0..100 {
            let response = payment.send(&mut Client::new(&self.url))?;
            match response.status {
                200 => return Ok(()),
                503 => std::thread::sleep(std::time::Duration::from_millis(100)),
                _ => bail!("the first payment was answered {}: {}\n{}", response.status, response.text(), self.server.tail()),
            }
        }
        bail!("the first payment is still answered 503\n{}", self.server.tail())
    }

    /// The rows of the books as `tollway ledger list --json` shows them.
    pub fn books(&self) -> anyhow::Result<Vec<Value>> {
        let mut command = tollway()?;
        let listed = shell::output(
            command.args(["ledger", "list", "--json", "--limit", "10000", "--config"]).arg(self.folder.join("tollway.toml")),
        )?;
        listed.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).context("a row of the books")).collect()
    }
}

/// The program under test, built as the tests are.
pub fn tollway() -> anyhow::Result<Command> {
    let program = shell::target("debug/tollway");
    if !program.is_file() {
        bail!("{} is missing: run `cargo build -p tollway`", program.display());
    }
    Ok(shell::command(program))
}

/// One of the scripts of `interop/`, with the buyer's key.
pub fn script(name: &str) -> Command {
    let mut command = shell::command("node");
    command.arg(shell::root("interop").join(name)).env("PRIVATE_KEY", BUYER_KEY);
    command
}

/// A payment that an official client has signed and not sent.
#[derive(Clone)]
pub struct Payment {
    pub id: String,
    pub nonce: String,
    header: String,
    value: String,
}

impl Payment {
    /// Sends it to the priced path, byte for byte.
    pub fn send(&self, client: &mut Client) -> anyhow::Result<Response> {
        client.send("GET", "/paid", &[(self.header.as_str(), self.value.as_str())], &[])
    }
}

/// Signed payments for one 402 of `url`.
pub fn sign(url: &str, count: usize) -> anyhow::Result<Vec<Payment>> {
    let signed = lines(script("sign-v2.mjs").env("TARGET_URL", url).env("COUNT", count.to_string()))?;
    let text = |line: &Value, key: &str| line[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
    signed
        .iter()
        .map(|line| {
            Ok(Payment {
                id: text(line, "payment")?,
                nonce: text(line, "nonce")?.to_lowercase(),
                header: text(line, "header")?,
                value: text(line, "value")?,
            })
        })
        .collect()
}

/// Runs a script to its end; what it printed is one JSON value a line.
pub fn lines(command: &mut Command) -> anyhow::Result<Vec<Value>> {
    let said = shell::output(command)?;
    said.lines().map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))).collect()
}
