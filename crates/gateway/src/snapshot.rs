//! What is in force: replaced whole by a reload, never changed.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use ipnet::IpNet;
use rand::Rng;
use rules::{Promise, Quotes, Rule, RuleSet};
use x402::{PaymentRequired, PreparedRequired, Reason, RenderedRequired, RequiredTemplate, ResourceInfo, Timestamp};

use crate::{
    Config,
    canonical::Ports,
    origin::{Endpoint, UnusableOrigin},
};

/// What a 402 says where no payment came: the specification's own words (transports-v2/http.md).
const MISSING: &str = "PAYMENT-SIGNATURE header is required";

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
    offers: ArcSwapOption<Offers>,
}

/// The offers of a rule in one second, to be filled with what is each request's own.
pub(crate) struct Offers {
    at: Timestamp,
    promises: Vec<Promise>,
    /// For requests without a payment.
    unpaid: PreparedRequired,
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

    fn template(&self) -> &RequiredTemplate {
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

    /// The rule's offers at `now`, signed once a second.
    pub fn offers(&self, quotes: &Quotes, now: Timestamp) -> Arc<Offers> {
        let current = &self.prepared().offers;
        if let Some(offers) = &*current.load()
            && offers.at == now
        {
            return Arc::clone(offers);
        }
        let rule = self.rule();
        let promises: Vec<Promise> = rule.offers().iter().map(|offer| quotes.promise(rule, offer, now)).collect();
        let unpaid = self.template().prepare(MISSING, &promises);
        let offers = Arc::new(Offers { at: now, promises, unpaid });
        current.store(Some(Arc::clone(&offers)));
        offers
    }

    /// A 402 with these offers. `refused`: what was wrong with a payment.
    pub fn render(&self, offers: &Offers, refused: Option<Reason>, url: &str) -> RenderedRequired {
        let mut random = rand::rng();
        let rests: Vec<String> = offers.promises.iter().map(|_| Promise::rest(random.random())).collect();
        match refused {
            None => offers.unpaid.render(url, &rests),
            Some(reason) => self.template().prepare(reason.code(), &offers.promises).render(url, &rests),
        }
    }
}
