//! Which rules can hold for a request at all, by host, path and method: ten thousand rules cost little more than ten.
//!
//! A rule stands under every host it needs, or under none; there under every whole path it needs, else under every path
//! prefix, else among the rest. A request looks at two hosts' worth of that: its own and none.

use crate::Rule;
use crate::lang::{Head, PathTest};
use std::collections::HashMap;

/// A rule's place in the set, and the methods it can hold for.
#[derive(Clone, Copy, Debug)]
struct Entry {
    rule: usize,
    methods: u16,
}

/// Bit of each method; all others share one.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

fn method_bit(method: &str) -> u16 {
    1 << METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len())
}

#[derive(Debug, Default)]
pub(super) struct Index {
    any_host: Paths,
    hosts: HashMap<String, Paths>,
}

/// Every list is in rule order.
#[derive(Debug, Default)]
struct Paths {
    whole: HashMap<String, Vec<Entry>>,
    prefixes: HashMap<Vec<u8>, Vec<Entry>>,
    /// The lengths of the prefixes, ascending.
    lengths: Vec<usize>,
    rest: Vec<Entry>,
}

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (place, rule) in rules.iter().enumerate() {
            let needs = rule.when().map(|when| when.necessary().clone()).unwrap_or_default();
            let methods = needs.methods.map_or(u16::MAX, |methods| methods.iter().fold(0, |bits, method| bits | method_bit(method)));
            let entry = Entry { rule: place, methods };
            match needs.hosts {
                None => index.any_host.add(entry, needs.paths.as_ref()),
                Some(hosts) => hosts.into_iter().for_each(|host| index.hosts.entry(host).or_default().add(entry, needs.paths.as_ref())),
            }
        }
        index
    }

    /// The lists that hold every rule that can hold for the request.
    fn lists<'i>(&'i self, head: &'i Head<'_>) -> impl Iterator<Item = &'i [Entry]> {
        std::iter::once(&self.any_host).chain(self.hosts.get(head.host)).flat_map(|paths| paths.lists(head.path))
    }

    /// The first rule that holds, by `holds`; of each list no more is asked than could come before what is found.
    pub(super) fn first(&self, head: &Head<'_>, holds: impl Fn(usize) -> bool) -> Option<usize> {
        let method = method_bit(head.method);
        let mut best = None;
        for list in self.lists(head) {
            let earlier = list.iter().take_while(|entry| best.is_none_or(|best| entry.rule < best));
            let found = earlier.filter(|entry| entry.methods & method != 0).find(|entry| holds(entry.rule));
            best = found.map(|entry| entry.rule).or(best);
        }
        best
    }

    /// Every rule up to and with `last` that can hold for the request: those that were tried, whatever their order.
    pub(super) fn tried(&self, head: &Head<'_>, last: usize) -> Vec<usize> {
        let method = method_bit(head.method);
        let entries = self.lists(head).flat_map(|list| list.iter().take_while(|entry| entry.rule <= last));
        let mut tried: Vec<usize> = entries.filter(|entry| entry.methods & method != 0).map(|entry| entry.rule).collect();
        tried.sort_unstable();
        tried.dedup();
        tried
    }
}

impl Paths {
    fn add(&mut self, entry: Entry, paths: Option<&std::collections::BTreeSet<PathTest>>) {
        let Some(paths) = paths else { return self.rest.push(entry) };
        for path in paths {
            match path {
                PathTest::Exact(whole) => self.whole.entry(whole.clone()).or_default().push(entry),
                PathTest::Prefix(prefix) => {
                    if let Err(place) = self.lengths.binary_search(&prefix.len()) {
                        self.lengths.insert(place, prefix.len());
                    }
                    self.prefixes.entry(prefix.clone().into_bytes()).or_default().push(entry);
                }
            }
        }
    }

    fn lists<'i>(&'i self, path: &'i str) -> impl Iterator<Item = &'i [Entry]> {
        let whole = self.whole.get(path);
        let prefixes =
            self.lengths.iter().map_while(|length| path.as_bytes().get(..*length)).filter_map(|prefix| self.prefixes.get(prefix));
        std::iter::once(&self.rest).chain(whole).chain(prefixes).map(Vec::as_slice).filter(|list| !list.is_empty())
    }
}
