//! The rule set: decides requests, in rule order, by an index over host, method and path.

mod build;
mod index;
mod warnings;

use crate::{Action, Facts, Market, Rule, RuleError, RuleSpec, Unmatched};
use index::Index;
use std::collections::HashMap;
use x402::{B256, Terms, Timestamp};

pub use warnings::Warning;

/// Immutable; share it in an `Arc`.
pub struct RuleSet {
    rules: Vec<Rule>,
    index: Index,
    market: Market,
    /// See [`RuleSet::conditions`].
    conditions: B256,
    /// By a rule's digest: what was offered before the last reloads.
    past: HashMap<[u8; 16], Vec<Past>>,
}

/// Terms that stay payable for a while after their price was changed.
#[derive(Clone, Debug)]
struct Past {
    terms: Terms,
    until: Timestamp,
}

/// What the rules say of a request.
#[derive(Clone, Copy, Debug)]
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

/// What crawlers and discovery must be able to read: never charged, unless the deciding rule names the whole path.
fn is_always_free(path: &str) -> bool {
    matches!(path, "/robots.txt" | "/sitemap.xml" | "/security.txt") || path.starts_with("/.well-known/")
}

/// Of the text of every condition, each after its length.
fn conditions(rules: &[Rule]) -> B256 {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    digest.update(b"tollway conditions 1");
    for when in rules.iter().map(|rule| rule.condition()) {
        digest.update(&when.map_or(u64::MAX, |when| when.len() as u64).to_be_bytes());
        digest.update(when.unwrap_or_default().as_bytes());
    }
    B256::from_slice(digest.finish().as_ref())
}

impl RuleSet {
    /// Loads rules; all that is wrong is reported at once.
    pub fn build(specs: Vec<RuleSpec>, market: Market) -> Result<Self, Vec<RuleError>> {
        let rules = build::rules(specs, &market)?;
        Ok(Self { index: Index::new(&rules), conditions: conditions(&rules), rules, market, past: HashMap::new() })
    }

    /// These rules in place of `previous` from `now` on: prices that `previous` offered under the same rule stay payable
    /// until its `quote_for` is over. A rule is the same if it has the same `id`, or, without one, the same `when`.
    #[must_use]
    pub fn replacing(mut self, previous: &RuleSet, now: Timestamp) -> Self {
        for rule in &self.rules {
            let older = previous.past.get(rule.digest()).into_iter().flatten().filter(|past| past.until >= now).cloned();
            let last = previous.rules.iter().filter(|known| known.digest() == rule.digest());
            let last = last.flat_map(|known| {
                known.offers().iter().map(|offer| Past { terms: offer.terms().clone(), until: now.after(known.quote_for()) })
            });
            let mut past: Vec<Past> = Vec::new();
            for one in last.chain(older) {
                match past.iter_mut().find(|known| known.terms == one.terms) {
                    Some(known) => known.until = known.until.max(one.until),
                    None => past.push(one),
                }
            }
            self.past.insert(*rule.digest(), past);
        }
        self
    }

    /// The terms payable under a rule without a quote: those of its offers, then those of before that are still honoured.
    pub(crate) fn in_force<'s>(&'s self, rule: &'s Rule, now: Timestamp) -> impl Iterator<Item = &'s Terms> {
        let past = self.past.get(rule.digest()).into_iter().flatten().filter(move |past| past.until >= now);
        rule.offers().iter().map(crate::Offer::terms).chain(past.map(|past| &past.terms))
    }

    /// The first rule that holds decides.
    #[must_use]
    pub fn decide<'s>(&'s self, facts: &Facts<'_>) -> Decision<'s> {
        let first = self.index.first(facts.head(), |at| self.rules.get(at).is_some_and(|rule| rule.holds(facts)));
        self.decision(first.and_then(|at| self.rules.get(at)), facts.head().path)
    }

    fn decision<'s>(&self, rule: Option<&'s Rule>, path: &str) -> Decision<'s> {
        let Some(rule) = rule else {
            return match self.market.unmatched {
                Unmatched::Pass => Decision::Free(None),
                Unmatched::Deny => Decision::Denied,
            };
        };
        match rule.action() {
            Action::Block => Decision::Blocked(rule),
            Action::Allow => Decision::Free(Some(rule)),
            Action::Charge if is_always_free(path) && !rule.names_path(path) => Decision::Free(Some(rule)),
            Action::Charge => Decision::Charge(rule),
        }
    }

    /// [`Self::decide`], with every step shown.
    #[must_use]
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation {
        let first = self.rules.iter().position(|rule| rule.holds(facts));
        let verdict = |at: usize| match first {
            Some(first) if at == first => Verdict::Held,
            Some(first) if at > first => Verdict::NotTried,
            _ => Verdict::DidNotHold,
        };
        let tried = self.rules.iter().enumerate().map(|(at, rule)| Tried { rule: rule.id().to_owned(), verdict: verdict(at) }).collect();
        let rule = first.and_then(|at| self.rules.get(at));
        let (decision, why) = match self.decision(rule, facts.head().path) {
            Decision::Charge(_) => ("charge", None),
            Decision::Blocked(_) => ("block", None),
            Decision::Denied => ("deny", Some("no rule holds, and default = \"deny\"")),
            Decision::Free(None) => ("pass", Some("no rule holds, and default = \"pass\"")),
            Decision::Free(Some(rule)) if rule.action() == Action::Charge => {
                ("pass", Some("this path is never charged, unless the rule compares the whole path with it (eq, in)"))
            }
            Decision::Free(Some(_)) => ("allow", None),
        };
        Explanation { tried, decision, rule: rule.map(|rule| rule.id().to_owned()), why }
    }

    /// A digest of every fact that the conditions tried read, up to and with `rule`: what a payment is bound to beside
    /// method, authority, path and query. Not of the address, the clock, or the payment's own headers. A rule that host,
    /// method and path rule out is not tried.
    #[must_use]
    pub fn binding_digest(&self, rule: &Rule, facts: &Facts<'_>) -> B256 {
        let last = self.rules.element_offset(rule).or_else(|| self.rules.iter().position(|known| known.digest() == rule.digest()));
        let last = last.unwrap_or(self.rules.len());
        let tried = self.index.tried(facts.head(), last).into_iter().filter_map(|at| self.rules.get(at)?.when());
        let mut reads: Vec<_> = tried.flat_map(|when| when.reads()).filter(|read| read.binds()).collect();
        reads.sort_unstable();
        reads.dedup();
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        digest.update(b"tollway facts 1");
        reads.iter().for_each(|read| read.digest(facts, &mut |part| digest.update(part)));
        B256::from_slice(digest.finish().as_ref())
    }

    /// A digest of all conditions, in order. [`Self::binding_digest`]s of two sets say the same of the same request where this is the same.
    #[must_use]
    pub fn conditions(&self) -> B256 {
        self.conditions
    }

    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id() == id)
    }

    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }
}

#[cfg(test)]
mod tests;
