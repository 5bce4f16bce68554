//! The rule set: decides requests, in rule order, by an index over host, method and path.

use crate::{Facts, Market, Rule, RuleError, RuleSpec};
use x402::{B256, Timestamp};

/// Immutable; share it in an `Arc`.
pub struct RuleSet {}

/// What the rules say of a request.
#[derive(Clone, Copy)]
pub enum Decision<'s> {
    /// Nothing to pay: an `allow` rule, an always-free path under a charge rule, or no rule with `default = "pass"`.
    Free(Option<&'s Rule>),
    /// No rule, and `default = "deny"`.
    Denied,
    Blocked(&'s Rule),
    Charge(&'s Rule),
}

/// How a request was decided, rule by rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Every rule, in order.
    pub tried: Vec<Tried>,
    /// The decision in words: `charge`, `allow`, `block`, `pass`, `deny`.
    pub decision: &'static str,
    /// The deciding rule's id.
    pub rule: Option<String>,
    /// Why, where it is not plain: an always-free path, the default.
    pub why: Option<&'static str>,
}

/// One line of an [`Explanation`].
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    pub rule: String,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Held,
    DidNotHold,
    /// A rule before it decided.
    NotTried,
}

/// Something that loads, and is likely not meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error("rule `{rule}` can never decide: `{by}` before it holds for every request it does")]
    Shadowed { rule: String, by: String },
    #[error("rules `{rule}` and `{with}` overlap: where both hold, `{with}` decides, being first")]
    Overlaps { rule: String, with: String },
    #[error("rule `{rule}` can charge nothing: {why}")]
    ChargesNothing { rule: String, why: String },
}

impl RuleSet {
    /// Loads rules; all that is wrong is reported at once.
    pub fn build(specs: Vec<RuleSpec>, market: Market) -> Result<Self, Vec<RuleError>> {
        let _ = (specs, market);
        todo!()
    }

    /// These rules in place of `previous` from `now` on: prices that `previous` offered under a rule's id stay payable
    /// until its `quote_for` is over.
    #[must_use]
    pub fn replacing(self, previous: &RuleSet, now: Timestamp) -> Self {
        let _ = (previous, now);
        todo!()
    }

    /// The first rule that holds decides.
    #[must_use]
    pub fn decide<'s>(&'s self, facts: &Facts<'_>) -> Decision<'s> {
        let _ = facts;
        todo!()
    }

    /// [`Self::decide`], with every step shown.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let _ = facts;
        todo!()
    }

    /// A digest of every fact that the conditions tried read, up to and with `rule`: what a payment is bound to beside
    /// method, authority, path and query. Not of the address, the clock, or the payment's own headers.
    #[must_use]
    pub fn binding_digest(&self, rule: &Rule, facts: &Facts<'_>) -> B256 {
        let _ = (rule, facts);
        todo!()
    }

    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        todo!()
    }

    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        todo!()
    }

    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        let _ = id;
        todo!()
    }

    #[must_use]
    pub fn market(&self) -> &Market {
        todo!()
    }
}
