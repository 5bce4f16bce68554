//! Idle connections of one data-plane thread. The lock is never contended: one runtime, one thread.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

use super::Endpoint;
use crate::Body;

/// More than these stand idle for nothing.
const MOST_IDLE: usize = 256;

/// Idle connections, the one used last on top.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Idle>>);

struct Idle {
    sender: SendRequest<Body>,
    endpoint: Endpoint,
    since: Instant,
}

impl Pool {
    pub fn take(&self, endpoint: &Endpoint) -> Option<SendRequest<Body>> {
        let mut idle = self.lock();
        while let Some(last) = idle.pop() {
            if last.endpoint == *endpoint && last.sender.is_ready() {
                return Some(last.sender);
            }
        }
        None
    }

    fn put(&self, sender: SendRequest<Body>, endpoint: Endpoint) {
        let mut idle = self.lock();
        if idle.len() < MOST_IDLE && !sender.is_closed() {
            idle.push(Idle { sender, endpoint, since: Instant::now() });
        }
    }

    /// Closes what has stood idle for `longest`, until the pool itself is gone.
    pub async fn expire(pool: Weak<Self>, longest: Duration) {
        let mut ticks = tokio::time::interval(longest / 4);
        loop {
            ticks.tick().await;
            let Some(pool) = pool.upgrade() else { return };
            let now = Instant::now();
            pool.lock().retain(|idle| !idle.sender.is_closed() && now.duration_since(idle.since) < longest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use: it goes back to its pool at the end of the answer, and is closed if the answer is not read to its end.
pub(crate) struct Lease {
    pub(super) sender: SendRequest<Body>,
    pub(super) endpoint: Endpoint,
    pub(super) pool: Arc<Pool>,
}

impl Lease {
    /// The answer was read to its end.
    pub fn end(self) {
        self.pool.put(self.sender, self.endpoint);
    }
}
