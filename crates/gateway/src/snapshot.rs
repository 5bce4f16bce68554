//! What is in force: replaced whole by a reload, never changed.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use ipnet::IpNet;
use rules::{Promise, Quotes, Rule, RuleSet};
use x402::{PaymentRequired, RequiredTemplate, ResourceInfo, Timestamp};

use crate::{
    Config,
    canonical::Ports,
    origin::{Endpoint, UnusableOrigin},
};

/// Rules and configuration of one moment. A request ends under the snapshot it began with.
pub(crate) struct Snapshot {
    pub rules: RuleSet,
    pub public_url: String,
    pub ports: Ports,
    pub origin: Endpoint,
    pub trusted_proxies: Vec<IpNet>,
    pub request_buffer: u64,
    pub loaded_at: Timestamp,
    /// One for each rule.
    prepared: Vec<Prepared>,
}

/// What a rule's offers have in common, made when the first is asked for.
#[derive(Default)]
struct Prepared {
    template: OnceLock<RequiredTemplate>,
    promises: ArcSwapOption<Promises>,
}

/// What a rule's offers promise in one second.
pub(crate) struct Promises {
    at: Timestamp,
    pub each: Vec<Promise>,
}

impl Snapshot {
    pub fn new(config: &Config, rules: RuleSet, now: Timestamp) -> Result<Self, UnusableOrigin> {
        let public_url = config.public_url.trim_end_matches('/').to_owned();
        let ports = Ports::new(&public_url.parse().unwrap_or_default(), config.listen.port());
        let prepared = rules.rules().iter().map(|_| Prepared::default()).collect();
        Ok(Self {
            rules,
            public_url,
            ports,
            origin: Endpoint::parse(&config.origin)?,
            trusted_proxies: config.trusted_proxies.clone(),
            request_buffer: config.request_buffer,
            loaded_at: now,
            prepared,
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

    #[expect(clippy::indexing_slicing, reason = "there is one for each rule")]
    fn prepared(&self) -> &Prepared {
        &self.snapshot.prepared[self.index]
    }

    /// The rule's offers, all but what differs from request to request.
    pub fn template(&self) -> &RequiredTemplate {
        self.prepared().template.get_or_init(|| {
            let rule = self.rule();
            RequiredTemplate::new(&PaymentRequired {
                error: None,
                resource: ResourceInfo { url: String::new(), description: rule.description().map(str::to_owned), mime_type: None },
                accepts: rule.offers().iter().map(|offer| offer.requirements(None)).collect(),
                extensions: serde_json::Map::new(),
            })
        })
    }

    /// What each of the rule's offers promises at `now`, signed once a second.
    pub fn promises(&self, quotes: &Quotes, now: Timestamp) -> Arc<Promises> {
        let promises = &self.prepared().promises;
        if let Some(promised) = &*promises.load()
            && promised.at == now
        {
            return Arc::clone(promised);
        }
        let rule = self.rule();
        let each = rule.offers().iter().map(|offer| quotes.promise(rule, offer, now)).collect();
        let promised = Arc::new(Promises { at: now, each });
        promises.store(Some(Arc::clone(&promised)));
        promised
    }
}
