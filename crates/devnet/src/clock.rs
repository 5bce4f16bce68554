//! The chain's time: the wall clock, moved on command, never backwards.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch, on the wall.
#[expect(clippy::disallowed_methods, reason = "a chain is where time comes from")]
fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|elapsed| elapsed.as_secs()).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Seconds by which the chain is ahead of the wall.
    ahead: i64,
    /// What the next block must carry.
    next: Option<u64>,
}

impl Clock {
    /// The chain's present, for what is asked now, after a head with `head` as its timestamp.
    pub fn now(&self, head: u64) -> u64 {
        wall().saturating_add_signed(self.ahead).max(head)
    }

    /// The timestamp of the block that comes now. Two blocks may carry the same, as many are mined in a second.
    pub fn tick(&mut self, head: u64) -> u64 {
        self.next.take().unwrap_or_else(|| self.now(head)).max(head)
    }

    /// Moves the clock ahead; returns by how many seconds it is ahead of the wall now.
    pub fn advance(&mut self, seconds: u64) -> i64 {
        self.ahead = self.ahead.saturating_add_unsigned(seconds);
        self.ahead
    }

    /// Fixes the next block's timestamp; time goes on from there.
    pub fn set_next(&mut self, timestamp: u64) {
        self.next = Some(timestamp);
        self.ahead = timestamp.checked_signed_diff(wall()).unwrap_or_default();
    }
}
