//! Deliveries over HTTP/2. There a body that was polled to its end still waits for the client's window, among other streams: what counts
//! is which of its bytes were taken out of their buffers, which happens as they are written.

use std::{
    io::IoSlice,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::Response;
use http_body::{Frame, SizeHint};

use super::{Delivery, Outbox};
use crate::{Body, body::BodyError};

/// What of an answer is on its way. Dropped before its end, the payment stays redeemable.
pub(super) struct Transit {
    /// Bytes that were given to the HTTP implementation and not yet taken by the connection; one more until the body has ended.
    left: AtomicU64,
    delivery: Mutex<Option<Delivery>>,
    outbox: Outbox,
}

impl Transit {
    pub fn new(delivery: Delivery, outbox: Outbox) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(1), delivery: Mutex::new(Some(delivery)), outbox })
    }

    fn give(&self, bytes: usize) {
        self.left.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn take(&self, count: u64) {
        if self.left.fetch_sub(count, Ordering::AcqRel) == count
            && let Some(delivery) = self.delivery()
        {
            self.outbox.push(delivery);
        }
    }

    fn delivery(&self) -> Option<Delivery> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The body of an answer over HTTP/2.
pub(crate) struct Pieces {
    body: Body,
    transit: Option<Arc<Transit>>,
    outbox: Outbox,
    ended: bool,
}

impl Pieces {
    /// With the delivery that [`super::watch`] left beside the answer, where it is a paid one.
    pub fn of(mut response: Response<Body>, outbox: Outbox) -> Response<Self> {
        let transit = response.extensions_mut().remove::<Arc<Transit>>();
        response.map(|body| Self { body, transit, outbox, ended: false })
    }

    fn end(&mut self) {
        if let Some(transit) = &self.transit
            && !std::mem::replace(&mut self.ended, true)
        {
            transit.take(1);
        }
    }
}

impl http_body::Body for Pieces {
    type Data = Piece;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Piece>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let transit = self.transit.clone();
        let outbox = self.outbox.clone();
        let frame = match frame {
            Some(Ok(frame)) => Some(Ok(frame.map_data(|bytes| Piece::new(bytes, transit, outbox)))),
            Some(Err(error)) => {
                drop(transit.and_then(|transit| transit.delivery()));
                return Poll::Ready(Some(Err(error)));
            }
            None => None,
        };
        if frame.is_none() || self.body.is_end_stream() {
            self.end();
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

/// Bytes that say when they are taken.
pub(crate) struct Piece {
    bytes: Bytes,
    transit: Option<Arc<Transit>>,
    outbox: Outbox,
}

impl Piece {
    fn new(bytes: Bytes, transit: Option<Arc<Transit>>, outbox: Outbox) -> Self {
        outbox.give(bytes.len());
        if let Some(transit) = &transit {
            transit.give(bytes.len());
        }
        Self { bytes, transit, outbox }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.outbox.take(count);
        if let Some(transit) = &self.transit
            && count > 0
        {
            transit.take(count as u64);
        }
    }
}

/// What is thrown away, as the client reset its stream, waits no more.
impl Drop for Piece {
    fn drop(&mut self) {
        self.outbox.take(self.bytes.len());
    }
}
