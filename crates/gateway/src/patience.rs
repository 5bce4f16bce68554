//! How long an origin is waited for: as long as the request's body still moves, and never past a deadline. And whose fault it was where
//! no answer came.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use crate::{Body, body::BodyError, origin::OriginError};

pub(crate) struct Patience {
    /// From the last sign of life to the answer's head.
    quiet: Duration,
    started: Instant,
    /// From the start.
    until: Duration,
    seen: Arc<Seen>,
}

/// What was seen of the request's body.
#[derive(Default)]
struct Seen {
    moved: AtomicBool,
    broke_off: OnceLock<OriginError>,
}

impl Patience {
    pub fn new(quiet: Duration, until: Duration) -> Self {
        Self { quiet, started: Instant::now(), until, seen: Arc::default() }
    }

    /// Sees the request's body move.
    pub fn watch(&self, body: Body) -> Body {
        if body.is_end_stream() { body } else { Body::new(Moving { body, seen: Arc::clone(&self.seen) }) }
    }

    /// How long to wait now.
    pub fn next(&self) -> Duration {
        self.quiet.min(self.left())
    }

    /// Whether there is one for another wait: something of the body has been sent since the last.
    pub fn has_reason(&mut self) -> bool {
        self.seen.moved.swap(false, Ordering::Relaxed) && !self.left().is_zero()
    }

    /// Why there is no answer: a request that the client broke off is not the origin's fault.
    pub fn fault(&self, error: OriginError) -> OriginError {
        match self.seen.broke_off.get() {
            Some(OriginError::SlowRequest) => OriginError::SlowRequest,
            Some(_) => OriginError::Request,
            None => error,
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_sub(self.started.elapsed())
    }
}

struct Moving {
    body: Body,
    seen: Arc<Seen>,
}

impl http_body::Body for Moving {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.seen.moved.store(true, Ordering::Relaxed);
        if let Some(Err(error)) = &frame {
            let _ = self.seen.broke_off.set(OriginError::of_body(error));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
