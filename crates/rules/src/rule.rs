//! One rule: when it holds, what it does, what it costs.

use crate::{Expression, Facts, LangError, Offer, PriceError, PriceSpec};
use aws_lc_rs::digest::{SHA256, digest};
use x402::{Address, Asset};

/// When the money moves (config key `settle`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleWhen {
    BeforeOrigin,
    BeforeResponse,
}

/// What a rule does with the requests it decides (config key `action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Charge,
    Allow,
    Block,
}

/// What happens where no rule decides (config key `default`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    Pass,
    Deny,
}

/// A rule as configured.
#[derive(Clone, Debug)]
pub struct RuleSpec {
    /// Absent: `rule-N`, counted from 1.
    pub id: Option<String>,
    /// Absent: every request.
    pub when: Option<String>,
    /// Demanded by `charge`, refused otherwise.
    pub price: Option<PriceSpec>,
    pub action: Action,
    /// Absent: the market's.
    pub settle: Option<SettleWhen>,
    pub resource: Option<String>,
    pub description: Option<String>,
    /// Seconds that an offer's price is honoured.
    pub quote_for: u64,
    /// Bytes of a reply that may be held.
    pub buffer: u64,
    /// Bytes up to which a reply is stored.
    pub keep: u64,
    /// How often a paid, undelivered reply may be fetched again.
    pub redeliver: u32,
    /// Whether upgrades (WebSocket) may pass.
    pub upgrade: bool,
}

impl RuleSpec {
    /// A rule with the design's default values.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self {
            id: None,
            when: None,
            price: None,
            action,
            settle: None,
            resource: None,
            description: None,
            quote_for: 300,
            buffer: 1 << 20,
            keep: 64 << 10,
            redeliver: 3,
            upgrade: false,
        }
    }
}

/// What all rules share: who is paid, in what, where.
#[derive(Clone, Debug)]
pub struct Market {
    pub pay_to: Address,
    /// Of all configured networks, in the order in which offers shall list them.
    pub assets: Vec<Asset>,
    /// `maxTimeoutSeconds` of offers, in seconds.
    pub timeout: u64,
    pub public_url: String,
    pub settle: SettleWhen,
    pub unmatched: Unmatched,
}

/// What is wrong with one rule. The operator's fault; nothing is loaded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("rule {} (`{id}`), {key}: {problem}", index + 1)]
pub struct RuleError {
    /// Position in the configuration, from 0.
    pub index: usize,
    pub id: String,
    /// The key at fault: `when`, `price`, `id`, ….
    pub key: &'static str,
    pub problem: RuleProblem,
}

/// The kinds of [`RuleError`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RuleProblem {
    /// Renders over several lines, with a caret under the fault.
    #[error("{0}")]
    When(#[from] LangError),
    #[error("{0}")]
    Price(#[from] PriceError),
    #[error("used by an earlier rule; ids are unique")]
    DuplicateId,
    #[error("a rule that charges needs one, e.g. \"$0.01\"")]
    PriceMissing,
    #[error("only a rule that charges has one")]
    PriceUnused,
    #[error("{0}")]
    Value(&'static str),
}

/// A loaded rule.
#[derive(Clone, Debug)]
pub struct Rule {
    id: String,
    digest: [u8; 16],
    when: Option<Expression>,
    offers: Vec<Offer>,
    settle: SettleWhen,
    spec: RuleSpec,
}

impl Rule {
    pub(crate) fn new(id: String, when: Option<Expression>, offers: Vec<Offer>, settle: SettleWhen, spec: RuleSpec) -> Self {
        Self { digest: identity(&spec), id, when, offers, settle: spec.settle.unwrap_or(settle), spec }
    }

    /// What makes a rule the same over reloads: its id, or without one its condition. Never its number: a rule put before
    /// it must not let its cheaper price pass for another's.
    pub(crate) fn digest(&self) -> &[u8; 16] {
        &self.digest
    }

    pub(crate) fn holds(&self, facts: &Facts<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| when.matches(facts))
    }

    /// Whether the condition compares the whole path with that literal.
    pub(crate) fn names_path(&self, path: &str) -> bool {
        self.when.as_ref().is_some_and(|when| when.names_path(path))
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn action(&self) -> Action {
        self.spec.action
    }

    /// The condition as configured.
    pub(crate) fn condition(&self) -> Option<&str> {
        self.spec.when.as_deref()
    }

    /// The condition; `None` holds for every request.
    #[must_use]
    pub fn when(&self) -> Option<&Expression> {
        self.when.as_ref()
    }

    /// The price as configured.
    #[must_use]
    pub fn price(&self) -> Option<&PriceSpec> {
        self.spec.price.as_ref()
    }

    /// One for every asset this rule may be paid with, in the market's order. Empty unless the rule charges.
    #[must_use]
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    #[must_use]
    pub fn settle(&self) -> SettleWhen {
        self.settle
    }

    /// The method to ask with: GET where the condition lets it, else the first that it names.
    #[must_use]
    pub fn method(&self) -> &str {
        let named = self.when().and_then(|when| when.necessary().methods.as_ref());
        named.filter(|methods| !methods.contains("GET")).and_then(|methods| methods.first()).map_or("GET", String::as_str)
    }

    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.spec.resource.as_deref()
    }

    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.spec.description.as_deref()
    }

    /// Seconds that an offer's price is honoured.
    #[must_use]
    pub fn quote_for(&self) -> u64 {
        self.spec.quote_for
    }

    /// Bytes of a reply that may be held.
    #[must_use]
    pub fn buffer(&self) -> u64 {
        self.spec.buffer
    }

    /// Bytes up to which a reply is stored.
    #[must_use]
    pub fn keep(&self) -> u64 {
        self.spec.keep
    }

    /// How often a paid, undelivered reply may be fetched again.
    #[must_use]
    pub fn redeliver(&self) -> u32 {
        self.spec.redeliver
    }

    #[must_use]
    pub fn upgrade(&self) -> bool {
        self.spec.upgrade
    }
}

/// See [`Rule::digest`].
fn identity(spec: &RuleSpec) -> [u8; 16] {
    let (kind, text) = match (&spec.id, &spec.when) {
        (Some(id), _) => ("id", id.as_str()),
        (None, Some(when)) => ("when", when.as_str()),
        (None, None) => ("every", ""),
    };
    let digest = digest(&SHA256, format!("{kind}\0{text}").as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}
