//! What is in force: replaced whole by a reload, never changed.

use std::sync::Arc;

use ipnet::IpNet;
use rules::{Rule, RuleSet};
use x402::Timestamp;

use crate::{
    Config,
    origin::{Endpoint, UnusableOrigin},
};

/// Rules and configuration of one moment. A request ends under the snapshot it began with.
pub(crate) struct Snapshot {
    pub rules: RuleSet,
    pub public_url: String,
    /// The default port of `public_url`'s scheme, as it may stand at the end of a `Host`.
    pub default_port: &'static str,
    pub origin: Endpoint,
    pub trusted_proxies: Vec<IpNet>,
    pub request_buffer: u64,
    pub loaded_at: Timestamp,
}

impl Snapshot {
    pub fn new(config: &Config, rules: RuleSet, now: Timestamp) -> Result<Self, UnusableOrigin> {
        let public_url = config.public_url.trim_end_matches('/').to_owned();
        let default_port = if public_url.starts_with("https:") { ":443" } else { ":80" };
        Ok(Self {
            rules,
            public_url,
            default_port,
            origin: Endpoint::parse(&config.origin)?,
            trusted_proxies: config.trusted_proxies.clone(),
            request_buffer: config.request_buffer,
            loaded_at: now,
        })
    }
}

/// A rule, with the snapshot it stands in.
#[derive(Clone)]
pub(crate) struct RuleRef {
    snapshot: Arc<Snapshot>,
    index: usize,
}

impl RuleRef {
    /// `None`: the rule is of another snapshot.
    pub fn new(snapshot: &Arc<Snapshot>, rule: &Rule) -> Option<Self> {
        let index = snapshot.rules.rules().element_offset(rule)?;
        Some(Self { snapshot: Arc::clone(snapshot), index })
    }

    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    #[expect(clippy::indexing_slicing, reason = "the index was found in this very slice, which never changes")]
    pub fn rule(&self) -> &Rule {
        &self.snapshot.rules.rules()[self.index]
    }
}
