//! What loads, and is likely not meant.

use super::{RuleSet, is_always_free};
use crate::lang::{Necessary, PathTest};
use crate::{Action, Rule};
use std::collections::BTreeSet;

/// Above this many rules only what one pass can tell is told: pairs would take minutes.
const MAX_PAIRED: usize = 2_000;

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
    /// Rules that never decide, overlap without one being the narrower, or can charge nothing. Only what host, method and
    /// path tell for certain; of more than 2,000 rules, pairs are not compared.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<Warning> = self.rules.iter().filter_map(charges_nothing).collect();
        let everything = self.rules.iter().position(|rule| rule.when().is_none());
        for (at, rule) in self.rules.iter().enumerate() {
            if let Some(by) = everything.filter(|first| *first < at).and_then(|first| self.rules.get(first)) {
                warnings.push(Warning::Shadowed { rule: rule.id().to_owned(), by: by.id().to_owned() });
            } else if self.rules.len() <= MAX_PAIRED {
                let before = self.rules.get(..at).unwrap_or_default();
                warnings.extend(before.iter().find_map(|earlier| pair(earlier, rule)));
            }
        }
        warnings
    }
}

fn charges_nothing(rule: &Rule) -> Option<Warning> {
    if rule.action() != Action::Charge {
        return None;
    }
    let needs = rule.when().map(|when| when.necessary());
    let impossible = needs.is_some_and(|needs| {
        needs.hosts.as_ref().is_some_and(BTreeSet::is_empty) || needs.methods.as_ref().is_some_and(BTreeSet::is_empty)
    });
    let all_free = needs.and_then(|needs| needs.paths.as_ref()).is_some_and(|paths| {
        paths.iter().all(|path| match path {
            PathTest::Exact(path) => is_always_free(path) && !rule.names_path(path),
            PathTest::Prefix(prefix) => is_always_free(prefix),
        })
    });
    let why = if rule.offers().is_empty() {
        "no configured asset stands for a dollar (usd = true)"
    } else if impossible {
        "its condition asks for two hosts or two methods at once"
    } else if all_free {
        "its paths are never charged, unless it compares the whole path (eq, in)"
    } else {
        return None;
    };
    Some(Warning::ChargesNothing { rule: rule.id().to_owned(), why: why.to_owned() })
}

/// What is to be said of a rule and one before it.
fn pair(earlier: &Rule, later: &Rule) -> Option<Warning> {
    let (first, second) = (earlier.when()?, later.when()?);
    let (rule, other) = (later.id().to_owned(), earlier.id().to_owned());
    let same = first.source() == second.source();
    if same || (first.is_plain() && contains(first.necessary(), second.necessary())) {
        return Some(Warning::Shadowed { rule, by: other });
    }
    let differ = earlier.action() != later.action() || earlier.price() != later.price();
    let crossing = first.is_plain() && second.is_plain() && intersect(first.necessary(), second.necessary());
    let narrower = contains(second.necessary(), first.necessary());
    (differ && crossing && !narrower).then_some(Warning::Overlaps { rule, with: other })
}

/// Whether `outer` lets through all that `inner` does.
fn contains(outer: &Necessary, inner: &Necessary) -> bool {
    fn covers(outer: Option<&BTreeSet<String>>, inner: Option<&BTreeSet<String>>) -> bool {
        match (outer, inner) {
            (None, _) => true,
            (Some(outer), Some(inner)) => inner.is_subset(outer),
            (Some(_), None) => false,
        }
    }
    let paths = match (&outer.paths, &inner.paths) {
        (None, _) => true,
        (Some(outer), Some(inner)) => inner.iter().all(|inner| outer.iter().any(|outer| path_contains(outer, inner))),
        (Some(_), None) => false,
    };
    paths && covers(outer.hosts.as_ref(), inner.hosts.as_ref()) && covers(outer.methods.as_ref(), inner.methods.as_ref())
}

fn path_contains(outer: &PathTest, inner: &PathTest) -> bool {
    match (outer, inner) {
        (PathTest::Exact(outer), PathTest::Exact(inner)) => outer == inner,
        (PathTest::Prefix(outer), PathTest::Exact(inner) | PathTest::Prefix(inner)) => inner.starts_with(outer),
        (PathTest::Exact(_), PathTest::Prefix(_)) => false,
    }
}

/// Whether some request satisfies both.
fn intersect(one: &Necessary, other: &Necessary) -> bool {
    fn meet(one: Option<&BTreeSet<String>>, other: Option<&BTreeSet<String>>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => !one.is_disjoint(other),
            (Some(only), None) | (None, Some(only)) => !only.is_empty(),
            (None, None) => true,
        }
    }
    let paths = match (&one.paths, &other.paths) {
        (Some(one), Some(other)) => one.iter().any(|one| other.iter().any(|other| path_contains(one, other) || path_contains(other, one))),
        _ => true,
    };
    paths && meet(one.hosts.as_ref(), other.hosts.as_ref()) && meet(one.methods.as_ref(), other.methods.as_ref())
}
