//! What can be known of a condition without a request: what it reads, and what must hold for it to hold.

use super::ast::{Arg, Base, Comparison, Index, Literal, Logic, LogicOp, Operand, Order, Rhs, Set, Test};
use super::facts::{Facts, Many};
use super::fields::{Fact, Field, Source};
use super::types::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A fact that a condition reads: a field, or one entry of a map field.
#[derive(Clone, Debug)]
pub struct Read {
    field: &'static Field,
    key: Option<String>,
}

/// What must hold for a condition to hold: conservative, for an index. `None`: anything may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Necessary {
    pub hosts: Option<BTreeSet<String>>,
    pub methods: Option<BTreeSet<String>>,
    pub paths: Option<BTreeSet<PathTest>>,
}

/// What a path must be or start with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathTest {
    Exact(String),
    Prefix(String),
}

impl Read {
    /// The field, and the key where only one entry is read: `http.request.headers["x"]`.
    #[must_use]
    pub fn name(&self) -> String {
        self.key.as_ref().map_or_else(|| self.field.name.to_owned(), |key| format!("{}[\"{key}\"]", self.field.name))
    }

    /// Whether a payment is bound to this fact: to all but the caller's address and the clock.
    #[must_use]
    pub fn binds(&self) -> bool {
        !matches!(self.field.name, "ip.src" | "http.request.timestamp.sec" | "http.request.timestamp.msec")
    }

    /// Feeds the fact's value to `sink`: every part is preceded by its length, so that no two values look alike. The
    /// headers that carry a payment are left out: they are not part of what is paid for.
    pub fn digest(&self, facts: &Facts<'_>, sink: &mut dyn FnMut(&[u8])) {
        let Source::Fact(fact) = self.field.source else { return };
        part(self.name().as_bytes(), sink);
        match (&self.key, fact) {
            (Some(key), Fact::Map(many)) => match facts.entry(many, key) {
                Some(value) => feed(&value, sink),
                None => sink(b"-"),
            },
            (None, Fact::Map(Many::Headers) | Fact::Names(Many::Headers) | Fact::Values(Many::Headers)) => {
                let kept = facts.pairs(Many::Headers).filter(|(name, _)| !is_payment_header(name));
                kept.for_each(|(name, value)| {
                    part(&name, sink);
                    part(value, sink);
                });
            }
            _ => feed(&fact.value(facts), sink),
        }
    }
}

/// By name and key.
impl Ord for Read {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.field.name, &self.key).cmp(&(other.field.name, &other.key))
    }
}

impl PartialOrd for Read {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Read {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Read {}

/// PAYMENT-SIGNATURE (x402 v2) and X-PAYMENT (v1).
fn is_payment_header(name: &[u8]) -> bool {
    matches!(name, b"payment-signature" | b"x-payment")
}

fn part(bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
    sink(&(bytes.len() as u64).to_be_bytes());
    sink(bytes);
}

fn feed(value: &Value<'_>, sink: &mut dyn FnMut(&[u8])) {
    match value {
        Value::Bool(truth) => sink(&[b'b', u8::from(*truth)]),
        Value::Int(int) => {
            sink(b"i");
            sink(&int.to_be_bytes());
        }
        Value::Ip(ip) => part(ip.to_string().as_bytes(), sink),
        Value::Bytes(bytes) => part(bytes, sink),
        Value::Array(elements) => {
            sink(b"a");
            sink(&(elements.len() as u64).to_be_bytes());
            elements.iter().for_each(|element| feed(element, sink));
        }
        Value::Map(entries) => {
            sink(b"m");
            sink(&(entries.len() as u64).to_be_bytes());
            for (name, value) in entries {
                part(name, sink);
                feed(value, sink);
            }
        }
    }
}

/// All that a condition reads, each once.
pub(super) fn reads(condition: &Logic) -> Vec<Read> {
    let mut reads = Vec::new();
    logic_reads(condition, &mut reads);
    reads.sort_unstable();
    reads.dedup();
    reads
}

fn logic_reads(condition: &Logic, reads: &mut Vec<Read>) {
    match condition {
        Logic::Compare(Comparison { lhs, test }) => {
            operand_reads(lhs, reads);
            if let Test::Order(_, Rhs::Operand(rhs)) | Test::BitAnd(Rhs::Operand(rhs)) = test {
                operand_reads(rhs, reads);
            }
        }
        Logic::Not(inner) => logic_reads(inner, reads),
        Logic::Combine { items, .. } => items.iter().for_each(|item| logic_reads(item, reads)),
        Logic::Quantify { arg, .. } => arg_reads(arg, reads),
    }
}

fn arg_reads(arg: &Arg, reads: &mut Vec<Read>) {
    match arg {
        Arg::Operand(operand) => operand_reads(operand, reads),
        Arg::Logic(condition) => logic_reads(condition, reads),
        Arg::Literal(_) => {}
    }
}

fn operand_reads(operand: &Operand, reads: &mut Vec<Read>) {
    match &operand.base {
        Base::Call(call) => call.args.iter().for_each(|arg| arg_reads(arg, reads)),
        Base::Field(field) => {
            let headers = matches!(field.source, Source::Fact(Fact::Map(Many::Headers)));
            let key = match operand.indexes.first() {
                Some(Index::Key(key)) if headers => Some(key.to_ascii_lowercase()),
                Some(Index::Key(key)) => Some(key.clone()),
                _ => None,
            };
            reads.push(Read { field, key });
        }
    }
}

/// The name of an operand that is a plain field.
fn plain_field(operand: &Operand) -> Option<&'static str> {
    match &operand.base {
        Base::Field(field) if operand.indexes.is_empty() => Some(field.name),
        _ => None,
    }
}

/// What must hold for `condition` to hold.
pub(super) fn necessary(condition: &Logic) -> Necessary {
    match condition {
        Logic::Compare(comparison) => necessary_of_comparison(comparison),
        Logic::Combine { op: LogicOp::And, items } => items.iter().map(necessary).reduce(Necessary::and).unwrap_or_default(),
        Logic::Combine { op: LogicOp::Or, items } => items.iter().map(necessary).reduce(Necessary::or).unwrap_or_default(),
        _ => Necessary::default(),
    }
}

/// Whether a condition says nothing beyond what [`necessary`] tells of it: comparisons of host, method and path, each at
/// most once, joined by `and`.
pub(super) fn is_plain(condition: &Logic) -> bool {
    let comparisons = match condition {
        Logic::Combine { op: LogicOp::And, items } => items.iter().collect(),
        other => vec![other],
    };
    let mut seen = BTreeSet::new();
    comparisons.into_iter().all(|item| {
        let needs = necessary(item);
        let of_one = [needs.hosts.is_some(), needs.methods.is_some(), needs.paths.is_some()];
        let whole = match item {
            Logic::Compare(Comparison { test: Test::Wildcard(wildcard), .. }) => wildcard.is_prefix(),
            Logic::Compare(_) => true,
            _ => false,
        };
        whole && of_one.contains(&true) && seen.insert(of_one)
    })
}

impl Necessary {
    fn and(self, other: Self) -> Self {
        fn both<T: Ord + Clone>(left: Option<BTreeSet<T>>, right: Option<BTreeSet<T>>) -> Option<BTreeSet<T>> {
            match (left, right) {
                (Some(left), Some(right)) => Some(left.intersection(&right).cloned().collect()),
                (one, other) => one.or(other),
            }
        }
        Self {
            hosts: both(self.hosts, other.hosts),
            methods: both(self.methods, other.methods),
            // Either alone is necessary; one that names whole paths says more.
            paths: match (self.paths, other.paths) {
                (Some(left), Some(right)) => Some(if looseness(&left) <= looseness(&right) { left } else { right }),
                (one, other) => one.or(other),
            },
        }
    }

    fn or(self, other: Self) -> Self {
        fn either<T: Ord>(left: Option<BTreeSet<T>>, right: Option<BTreeSet<T>>) -> Option<BTreeSet<T>> {
            let mut all = left?;
            all.append(&mut right?);
            Some(all)
        }
        Self {
            hosts: either(self.hosts, other.hosts),
            methods: either(self.methods, other.methods),
            paths: either(self.paths, other.paths),
        }
    }
}

/// How much a set of path tests lets through: prefixes more than whole paths, short ones more than long ones.
fn looseness(paths: &BTreeSet<PathTest>) -> usize {
    let of = |path: &PathTest| match path {
        PathTest::Exact(_) => 0,
        PathTest::Prefix(prefix) => 10_000usize.saturating_sub(prefix.len()),
    };
    paths.iter().map(of).max().unwrap_or_default()
}

fn necessary_of_comparison(comparison: &Comparison) -> Necessary {
    if let Some(prefix) = required_prefix(comparison) {
        return Necessary { paths: Some(BTreeSet::from([PathTest::Prefix(prefix)])), ..Necessary::default() };
    }
    let Some(values) = whole_values(comparison) else { return Necessary::default() };
    // A value that is not UTF-8 is no host, method or path: nothing is lost by leaving it out.
    let texts = values.into_iter().filter_map(|value| String::from_utf8(value).ok());
    match plain_field(&comparison.lhs) {
        Some("http.host") => Necessary { hosts: Some(texts.collect()), ..Necessary::default() },
        Some("http.request.method") => Necessary { methods: Some(texts.collect()), ..Necessary::default() },
        Some("http.request.uri.path") => Necessary { paths: Some(texts.map(PathTest::Exact).collect()), ..Necessary::default() },
        _ => Necessary::default(),
    }
}

/// The strings that `eq` or `in` compare with.
fn whole_values(comparison: &Comparison) -> Option<Vec<Vec<u8>>> {
    match &comparison.test {
        Test::Order(Order::Eq, Rhs::Literal(Literal::Bytes(value))) => Some(vec![value.clone()]),
        Test::OneOf(Set::Bytes(values)) => Some(values.clone()),
        _ => None,
    }
}

/// What the path must start with: `starts_with(http.request.uri.path, "…")`, or a strict wildcard's beginning.
fn required_prefix(comparison: &Comparison) -> Option<String> {
    let prefix = match (&comparison.test, &comparison.lhs.base) {
        (Test::IsTrue, Base::Call(call)) if call.function.name == "starts_with" => match call.args.as_slice() {
            [Arg::Operand(operand), Arg::Literal(Literal::Bytes(prefix))] if is_path(operand) => prefix.as_slice(),
            _ => return None,
        },
        (Test::Wildcard(wildcard), _) if is_path(&comparison.lhs) => wildcard.prefix()?,
        _ => return None,
    };
    String::from_utf8(prefix.to_vec()).ok()
}

fn is_path(operand: &Operand) -> bool {
    plain_field(operand) == Some("http.request.uri.path")
}

/// The literals that the whole path is compared with, by `eq` or `in`, where that comparison can make the condition hold.
pub(super) fn whole_paths(condition: &Logic) -> Vec<String> {
    match condition {
        Logic::Compare(comparison) if is_path(&comparison.lhs) => {
            whole_values(comparison).unwrap_or_default().into_iter().filter_map(|value| String::from_utf8(value).ok()).collect()
        }
        Logic::Combine { op: LogicOp::And | LogicOp::Or, items } => items.iter().flat_map(whole_paths).collect(),
        _ => Vec::new(),
    }
}
