//! *Delivered*: the last byte of a paid answer was handed to the socket, and that is noted durably (DESIGN §4).

mod pieces;

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use http_body::{Body as _, Frame, SizeHint};
use ledger::{Ledger, Record};
use tokio_util::task::TaskTracker;

pub(crate) use self::pieces::Pieces;
use self::pieces::Transit;
use crate::{Body, body::BodyError, pipeline::Shared};

/// The delivery of a settled payment, one at a time: the claimer's first, or a redelivery. Dropped before its end it stays redeemable.
#[must_use]
pub(crate) struct Delivery {
    open: Option<Open>,
}

struct Open {
    ledger: Ledger,
    tasks: TaskTracker,
    record: Box<Record>,
    /// A redelivery that reached a charged status: it counts, delivered or not.
    counts: bool,
}

impl Delivery {
    /// Of a payment that this process claimed, or whose redelivery it was granted.
    pub fn new(shared: &Shared, record: &Record) -> Self {
        let (ledger, tasks) = (shared.ledger.clone(), shared.tasks.clone());
        Self { open: Some(Open { ledger, tasks, record: Box::new(record.clone()), counts: false }) }
    }

    /// A redelivery for which the origin answered with a charged status.
    pub fn counting(mut self) -> Self {
        if let Some(open) = &mut self.open {
            open.counts = true;
        }
        self
    }

    /// Ends without an answer worth keeping; when this returns the payment is redeemable.
    pub async fn abandon(mut self) {
        if let Some(open) = self.open.take()
            && !open.note(false).await
        {
            open.note_in_background(false);
        }
    }

    fn complete(mut self) {
        if let Some(open) = self.open.take() {
            open.note_in_background(true);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            open.note_in_background(false);
        }
    }
}

impl Open {
    /// Writes what became of it. `false`: the store could not take it now.
    async fn note(&self, delivered: bool) -> bool {
        let written = if delivered {
            self.ledger.delivered(&self.record).await
        } else {
            self.ledger.end_redelivery(self.record.id, self.counts).await
        };
        if let Err(error) = &written {
            tracing::warn!(payment = %self.record.id, %error, "what became of a delivery is not noted yet");
        }
        written.is_ok()
    }

    /// In a task: nobody waits for this. A note that never gets written delivers once more at the most.
    fn note_in_background(self, delivered: bool) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let tasks = self.tasks.clone();
        tasks.spawn_on(
            async move {
                for pause in [1, 2, 4, 8, 16] {
                    if self.note(delivered).await {
                        return;
                    }
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
            },
            &runtime,
        );
    }
}

/// What was given to the HTTP implementation and waits for the socket to take it.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    /// HTTP/2: what the HTTP implementation was given may still wait for the client's window.
    windowed: bool,
    /// HTTP/2: bytes that were given to the HTTP implementation, and not taken by the connection.
    held_back: AtomicU64,
    /// HTTP/2: whether some have been taken since this was last looked at.
    moved: AtomicBool,
    any: AtomicBool,
    deliveries: Mutex<Vec<Delivery>>,
}

impl Outbox {
    /// Of an HTTP/2 connection, whose answers go out as [`Pieces`].
    pub fn windowed() -> Self {
        Self(Arc::new(Waiting { windowed: true, ..Waiting::default() }))
    }

    fn push(&self, delivery: Delivery) {
        self.0.deliveries.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
        self.0.any.store(true, Ordering::Release);
    }

    fn give(&self, bytes: usize) {
        if self.0.held_back.fetch_add(bytes as u64, Ordering::Relaxed) == 0 {
            self.0.moved.store(true, Ordering::Relaxed);
        }
    }

    fn take(&self, bytes: usize) {
        self.0.held_back.fetch_sub(bytes as u64, Ordering::Relaxed);
        self.0.moved.store(true, Ordering::Relaxed);
    }

    /// Whether bytes wait, and none was taken since this was last asked.
    pub fn stands_still(&self) -> bool {
        !self.0.moved.swap(false, Ordering::Relaxed) && self.0.held_back.load(Ordering::Relaxed) > 0
    }

    /// All that was written has been handed to the socket.
    pub fn flushed(&self) {
        if self.0.any.swap(false, Ordering::Acquire) {
            let deliveries = std::mem::take(&mut *self.0.deliveries.lock().unwrap_or_else(PoisonError::into_inner));
            deliveries.into_iter().for_each(Delivery::complete);
        }
    }
}

/// Watches an answer's body to its end. Without an outbox its end is the delivery.
pub(crate) fn watch(response: Response<Body>, delivery: Delivery, outbox: Option<Outbox>) -> Response<Body> {
    if response.body().is_end_stream() {
        handed(delivery, outbox.as_ref());
        return response;
    }
    match outbox {
        Some(outbox) if outbox.0.windowed => {
            let mut response = response;
            response.extensions_mut().insert(Transit::new(delivery, outbox));
            response
        }
        outbox => response.map(|body| Body::new(Watched { body, delivery: Some(delivery), outbox })),
    }
}

fn handed(delivery: Delivery, outbox: Option<&Outbox>) {
    match outbox {
        Some(outbox) => outbox.push(delivery),
        None => delivery.complete(),
    }
}

struct Watched {
    body: Body,
    delivery: Option<Delivery>,
    outbox: Option<Outbox>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        let ended = match &frame {
            None => true,
            Some(Ok(_)) => self.body.is_end_stream(),
            Some(Err(_)) => {
                self.delivery = None;
                false
            }
        };
        if ended && let Some(delivery) = self.delivery.take() {
            handed(delivery, self.outbox.as_ref());
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

#[cfg(test)]
mod tests;
