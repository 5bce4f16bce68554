//! A gateway with everything it stands on: put together, reloaded, ended.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use anyhow::Context;
use facilitator::Facilitator;
use gateway::Gateway;

use crate::{
    books::Books,
    config::{Config, Fault, Faults, NetworkChoice},
};

/// How long requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(30);

/// A gateway at work.
pub struct Running {
    fixed: Fixed,
    gateway: Gateway,
    facilitator: Facilitator,
}

/// What a reload cannot change: chains and books that payments under way stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fixed {
    networks: Vec<NetworkChoice>,
    remotes: Vec<String>,
    store: String,
}

impl Fixed {
    fn of(config: &Config) -> Self {
        Self { networks: config.networks.clone(), remotes: config.remotes.clone(), store: config.store.clone() }
    }

    /// The first key that differs.
    fn changed(&self, new: &Self) -> Option<&'static str> {
        let keys = [
            ("network", !self.names().eq(new.names())),
            ("[[networks]]", self.networks != new.networks),
            ("facilitator", self.remotes != new.remotes),
            ("store", self.store != new.store),
        ];
        keys.into_iter().find(|(_, differs)| *differs).map(|(key, _)| key)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.networks.iter().map(|choice| choice.network.as_str())
    }
}

impl Running {
    /// Starts what a file describes. The listener is open when this returns; chains are read behind it.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let facilitator_config = config.facilitator()?;
        warn(&config.file, &config.warnings);
        warn(&config.file, &config.warnings_of_keys(&facilitator_config));
        let fixed = Fixed::of(&config);
        let books = Books::open(&config).await?;
        let facilitator = Facilitator::start(facilitator_config, books.ledger.clone(), tokio::runtime::Handle::current())?;
        let secrets = books.secrets().await?;
        let mut seller = config.seller.context("nothing is sold by this file")?;
        if is_port_unnamed(&seller.gateway) {
            let listen = seller.gateway.listen;
            name_port(&mut seller.gateway, free_port(listen).with_context(|| format!("no port is free for {listen} (`listen`)"))?);
        }
        let (origin, pay_to, rules) = (seller.gateway.origin.clone(), seller.pay_to, seller.rules.rules().len());
        let networks = fixed.names().collect::<Vec<_>>().join(", ");
        let clock = std::sync::Arc::clone(&books.clock);
        let gateway = Gateway::start(seller.gateway, seller.rules, facilitator.clone(), books.ledger.clone(), clock, secrets)?;
        let origin = origin.to_string();
        let origin = origin.trim_end_matches('/');
        tracing::info!("listening on http://{} in front of {origin}: {rules} rules, paid to {pay_to} on {networks}", gateway.local_addr());
        Ok(Self { fixed, gateway, facilitator })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    pub fn facilitator(&self) -> &Facilitator {
        &self.facilitator
    }

    /// Puts the file, read anew, in force. Whatever is wrong with it is logged, and what runs stays in force, whole.
    pub fn reload(&self, file: &Path, config: Result<Config, Faults>) {
        match self.try_reload(config) {
            Ok(rules) => tracing::info!("reloaded {}: {rules} rules", file.display()),
            Err(error) => tracing::error!("not reloaded, the running configuration stays in force: {error:#}"),
        }
    }

    fn try_reload(&self, config: Result<Config, Faults>) -> anyhow::Result<usize> {
        let config = config?;
        if let Some(key) = self.fixed.changed(&Fixed::of(&config)) {
            anyhow::bail!("`{key}` changes only with a restart");
        }
        warn(&config.file, &config.warnings);
        let mut seller = config.seller.context("nothing is sold by this file")?;
        if is_port_unnamed(&seller.gateway) && self.local_addr().ip() == seller.gateway.listen.ip() {
            name_port(&mut seller.gateway, self.local_addr());
        }
        let rules = seller.rules.rules().len();
        self.gateway.reload(seller.gateway, seller.rules)?;
        Ok(rules)
    }

    /// Takes nothing new, ends what is under way, leaves the lanes.
    pub async fn shutdown(self) {
        self.gateway.shutdown(GRACE).await;
        self.facilitator.shutdown().await;
    }
}

/// Port 0 with no `public_url`: offers must name a port before one is bound.
fn is_port_unnamed(gateway: &gateway::Config) -> bool {
    gateway.listen.port() == 0 && gateway.public_url == format!("http://{}", gateway.listen)
}

fn name_port(gateway: &mut gateway::Config, listen: SocketAddr) {
    (gateway.listen, gateway.public_url) = (listen, format!("http://{listen}"));
}

/// The gateway binds it again in a moment.
fn free_port(listen: SocketAddr) -> std::io::Result<SocketAddr> {
    TcpListener::bind(listen)?.local_addr()
}

/// Logs warnings about a file.
pub fn warn(file: &Path, warnings: &[Fault]) {
    for warning in warnings {
        tracing::warn!("{}: {}", warning.place_in(&file.display().to_string()), warning.message);
    }
}

#[cfg(test)]
mod tests;
