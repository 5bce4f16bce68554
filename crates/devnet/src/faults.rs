//! What goes wrong on command.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The faults in force, as `devnet_faults` takes and answers them. What is absent is off, so `{}` heals all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Milliseconds by which answers are late, by method; `*` stands for every method that is not named.
    pub delay: BTreeMap<String, u64>,
    /// So many transactions are accepted and then the connection is closed without an answer.
    pub drop_reply_after_accept: u32,
    /// Reads are answered as of so many blocks ago, and what came later is unknown.
    pub stale_head: u64,
    /// The chain id that is told, in place of the true one.
    pub wrong_chain_id: Option<u64>,
    /// So many transactions revert when they are mined, whatever they do.
    pub revert_next: u32,
    /// Every request but `devnet_*` fails.
    pub node_down: Option<Outage>,
    /// Methods that fail with error -32000 and this message; `*` stands for every method that is not named.
    pub fail: BTreeMap<String, String>,
}

/// How a node is out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// Connections are closed without an answer.
    Reset,
    /// HTTP status 500.
    Status500,
}

impl Faults {
    pub(crate) fn delay(&self, method: &str) -> Option<Duration> {
        named(&self.delay, method).copied().map(Duration::from_millis)
    }

    pub(crate) fn failure(&self, method: &str) -> Option<&str> {
        named(&self.fail, method).map(String::as_str)
    }
}

fn named<'a, T>(by_method: &'a BTreeMap<String, T>, method: &str) -> Option<&'a T> {
    by_method.get(method).or_else(|| by_method.get("*"))
}

/// Uses up one of a counted fault.
pub(crate) fn take_one(count: &mut u32) -> bool {
    let left = count.checked_sub(1);
    *count = left.unwrap_or_default();
    left.is_some()
}
