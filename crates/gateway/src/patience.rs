//! How long an origin is waited for: as long as the request's body still moves, and never past a deadline.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use crate::{Body, body::BodyError};

pub(crate) struct Patience {
    /// From the last sign of life to the answer's head.
    quiet: Duration,
    started: Instant,
    /// From the start.
    until: Duration,
    moved: Arc<AtomicBool>,
}

impl Patience {
    pub fn new(quiet: Duration, until: Duration) -> Self {
        Self { quiet, started: Instant::now(), until, moved: Arc::default() }
    }

    /// Sees the request's body move.
    pub fn watch(&self, body: Body) -> Body {
        if body.is_end_stream() { body } else { Body::new(Moving { body, moved: Arc::clone(&self.moved) }) }
    }

    /// How long to wait now.
    pub fn next(&self) -> Duration {
        self.quiet.min(self.left())
    }

    /// Whether there is one for another wait: something of the body has been sent since the last.
    pub fn has_reason(&mut self) -> bool {
        self.moved.swap(false, Ordering::Relaxed) && !self.left().is_zero()
    }

    fn left(&self) -> Duration {
        self.until.saturating_sub(self.started.elapsed())
    }
}

struct Moving {
    body: Body,
    moved: Arc<AtomicBool>,
}

impl http_body::Body for Moving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.moved.store(true, Ordering::Relaxed);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
