//! `tollway facilitator`.

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use facilitator::{Facilitator, server};
use tokio::net::TcpListener;

use super::{Signals, serve::runtime};
use crate::{
    books::Books,
    config::{self, FacilitatorServer, Purpose},
    running::warn,
};

pub fn serve(file: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(file, Purpose::Facilitator)?;
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let facilitator_config = config.facilitator()?;
        warn(&config.file, &config.warnings);
        let access = access(&config.facilitator_server)?;
        let listen = config.facilitator_server.listen;
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen} ([facilitator_server] listen)"))?;
        let books = Books::open(&config).await?;
        let facilitator = Facilitator::start(facilitator_config, books.ledger.clone(), tokio::runtime::Handle::current())?;
        let networks = config.networks.iter().map(|n| n.network.as_str()).collect::<Vec<_>>().join(", ");
        tracing::info!("facilitator listening on http://{} for {networks}", listener.local_addr()?);
        server::serve(listener, facilitator.clone(), access, async move { signals.end().await }).await?;
        facilitator.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn access(server: &FacilitatorServer) -> anyhow::Result<server::Access> {
    let read = |token: &config::Secret| Ok(token.read().context("[facilitator_server] tokens")?.to_string());
    let tokens = server.tokens.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(server::Access { tokens, pay_to: server.pay_to.clone() })
}
