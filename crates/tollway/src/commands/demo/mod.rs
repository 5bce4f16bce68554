//! `tollway demo`: a chain, a token, a funded buyer, an origin and the gateway in one process, and a first payment through all of it.

mod origin;
mod show;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use buyer::{Answer, Limits, Request, Wallet};
use devnet::{ACCOUNTS, DevAccount, Devnet};
use x402::{Clock, Network, SystemClock, U256};

use super::{Signals, serve::runtime};
use crate::{
    cli,
    config::{self, Purpose},
    running::Running,
};

const SIGNER: DevAccount = ACCOUNTS[0];
const SELLER: DevAccount = ACCOUNTS[1];
const BUYER: DevAccount = ACCOUNTS[2];
/// What the buyer starts with: ten dollars.
const FUNDS: u64 = 10_000_000;
/// What is paid for first.
const FIRST: &str = "/api/weather";
/// The chain is in this process: what takes longer is broken.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// The parts, at work.
struct Stage {
    chain: Devnet,
    running: Running,
    origin: SocketAddr,
    /// Configuration, key and books; removed at the end.
    folder: tempfile::TempDir,
}

/// What became of the first payment.
struct Shown {
    answer: Answer,
    /// The seller's balance before and after, in atomic units.
    revenue: (U256, U256),
}

pub fn demo(args: &cli::Demo) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let stage = Stage::set(args).await?;
        let played = tokio::select! {
            played = play(args, &stage) => Some(played),
            () = signals.end() => None,
        };
        if matches!(played, Some(Ok(()))) && !args.once {
            signals.end().await;
        }
        stage.strike().await;
        played.unwrap_or(Ok(())).map(|()| ExitCode::SUCCESS)
    })
}

/// Shows everything and pays once. Errors: that payment did not settle.
async fn play(args: &cli::Demo, stage: &Stage) -> anyhow::Result<()> {
    stage.ready().await?;
    if args.json {
        show::ready_line(stage)?;
    } else {
        show::scene(stage)?;
    }
    let mut shown = stage.buy(FIRST).await?;
    let settled = shown.answer.paid && shown.answer.payment.as_ref().is_some_and(|p| p.transaction.is_some());
    if args.json {
        let report = shown.answer.report().await?;
        crate::terminal::line(&serde_json::to_string(&report)?)?;
    } else {
        show::first_payment(&mut shown).await?;
        if !args.once {
            show::invitation(stage)?;
        }
    }
    if !settled {
        bail!("the first payment did not settle: {:?}", shown.answer.end);
    }
    Ok(())
}

impl Stage {
    async fn set(args: &cli::Demo) -> anyhow::Result<Self> {
        let chain = chain(args.chain_port)?;
        let listener = listen("--origin-port", args.origin_port)?;
        let origin = listener.local_addr()?;
        tokio::spawn(origin::serve(tokio::net::TcpListener::from_std(listener)?));
        // The gateway binds it again in a moment; its offers must say the port before.
        let gateway = listen("--port", args.port)?.local_addr()?;
        let folder = tempfile::Builder::new().prefix("tollway-demo-").tempdir().context("no temporary folder")?;
        let file = folder.path().join("tollway.toml");
        write_private(&folder.path().join("signer.key"), &SIGNER.key.to_string())?;
        std::fs::write(&file, configuration(gateway, origin, &chain.rpc_url()))?;
        let running = Running::start(config::load(&file, Purpose::Gateway)?).await?;
        Ok(Self { chain, running, origin, folder })
    }

    fn gateway(&self) -> String {
        format!("http://{}", self.running.local_addr())
    }

    /// Waits until the gateway has read the chain and takes payments.
    async fn ready(&self) -> anyhow::Result<()> {
        let network = Network::eip155(self.chain.chain_id());
        let facilitator = self.running.facilitator();
        let waiting = async {
            while !facilitator.readiness(&network).is_ready() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(READY_WITHIN, waiting).await {
            Ok(()) => Ok(()),
            Err(_) => bail!("the gateway does not get ready: {:?}", facilitator.readiness(&network)),
        }
    }

    async fn buy(&self, path: &str) -> anyhow::Result<Shown> {
        let wallet = Wallet::from_bytes(&BUYER.key)?;
        let request = Request::new(&format!("{}{path}", self.gateway()), None, &[], None)?;
        let limits = Limits { max: "0.10".parse()?, network: None };
        let before = self.chain.token_balance(SELLER.address)?;
        let answer = buyer::pay(&wallet, request, &limits, SystemClock.now()).await;
        Ok(Shown { answer, revenue: (before, self.chain.token_balance(SELLER.address)?) })
    }

    /// Ends everything in order; the folder goes last.
    async fn strike(self) {
        self.running.shutdown().await;
        drop(self.chain);
        drop(self.folder);
    }
}

fn chain(port: u16) -> anyhow::Result<Devnet> {
    // Found out first, so that the flag can be named.
    listen("--chain-port", port)?;
    let token_balances = vec![(BUYER.address, U256::from(FUNDS))];
    Ok(Devnet::start(devnet::Config { port, token_balances, ..devnet::Config::default() })?)
}

fn listen(flag: &str, port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} cannot be had: choose another with {flag} (0 picks a free one)"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// The demo is configured as any gateway is.
fn configuration(gateway: SocketAddr, origin: SocketAddr, rpc: &str) -> String {
    let mut text = format!(
        "origin     = \"http://{origin}\"\nlisten     = \"{gateway}\"\npublic_url = \"http://{gateway}\"\npay_to     = \"{}\"\nnetwork    = \"base-sepolia\"\n\n\
         [[networks]]\nid     = \"base-sepolia\"\nrpc    = [\"{rpc}\"]\nsigner = {{ file = \"signer.key\" }}\n",
        SELLER.address
    );
    for good in origin::GOODS {
        text.push_str(&format!(
            "\n[[rule]]\nid          = \"{}\"\nwhen        = 'http.request.uri.path eq \"{}\"'\nprice       = \"{}\"\nresource    = \"http://{gateway}{}\"\ndescription = \"{}\"\n",
            good.id, good.path, good.price, good.path, good.what
        ));
    }
    text
}
