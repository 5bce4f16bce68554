//! The pace of a request's body: a client that sends nothing, or next to nothing, does not hold an upload open for ever.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{Body, body::BodyError};

/// Bytes that a client sends at least, on average, in each pause it may make. Only time spent waiting for it counts.
const LEAST: u128 = 1024;
/// Pauses before the average counts.
const GRACE: u32 = 2;

/// A client's body; it breaks off with [`BodyError::Slow`].
pub(super) struct Upload {
    body: Body,
    /// The longest between two pieces.
    pause: Duration,
    /// Made by the first wait.
    alarm: Option<Pin<Box<Sleep>>>,
    /// The body is waited for since then.
    since: Option<Instant>,
    waited: Duration,
    bytes: u128,
}

impl Upload {
    pub fn paced(body: Body, pause: Duration) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self { body, pause, alarm: None, since: None, waited: Duration::ZERO, bytes: 0 })
    }

    /// Whether the wait that goes on has become too long.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let pause = self.pause;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + pause)));
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            alarm.as_mut().reset(now + pause);
        }
        alarm.as_mut().poll(cx)
    }

    fn came(&mut self, bytes: usize) {
        self.bytes += bytes as u128;
        if let Some(since) = self.since.take() {
            // Longer than a pause: it had come, and nobody took it.
            self.waited += since.elapsed().min(self.pause);
        }
    }

    fn drips(&self) -> bool {
        self.waited > self.pause * GRACE && self.bytes * self.pause.as_nanos() < LEAST * self.waited.as_nanos()
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            ready!(self.poll_pause(cx));
            return Poll::Ready(Some(Err(BodyError::Slow)));
        };
        let Some(Ok(piece)) = &frame else { return Poll::Ready(frame) };
        self.came(piece.data_ref().map_or(0, Bytes::len));
        if self.drips() && !self.body.is_end_stream() {
            return Poll::Ready(Some(Err(BodyError::Slow)));
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
