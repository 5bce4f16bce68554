//! Bodies that stream, in both directions.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::{fields, origin::Lease};

/// A body of a request or an answer. Nothing is buffered but what was made here.
pub struct Body(Kind);

enum Kind {
    Empty,
    Full(Bytes),
    /// From a socket; from an origin's with the connection it came by, to be used again at its end.
    Incoming(Incoming, Option<Lease>),
    Other(BoxBody),
}

type BoxBody = Pin<Box<dyn http_body::Body<Data = Bytes, Error = BodyError> + Send>>;

/// A body that broke off. Whose fault it was cannot be seen from here.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("longer than {0} bytes")]
    TooLarge(u64),
    #[error("it came too slowly")]
    Slow,
    #[error("{0}")]
    Other(String),
}

impl Body {
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    pub(crate) fn leased(body: Incoming, lease: Lease) -> Self {
        Self(Kind::Incoming(body, Some(lease)))
    }

    /// Any other body, or one of these watched.
    pub fn new(body: impl http_body::Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self(Kind::Other(Box::pin(body)))
    }

    /// All of it, where it has at most `limit` bytes; trailers are dropped.
    pub async fn read(mut self, limit: u64) -> Result<Bytes, BodyError> {
        if http_body::Body::size_hint(&self).lower() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        let mut whole = bytes::BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if (whole.len() as u64).saturating_add(data.len() as u64) > limit {
                return Err(BodyError::TooLarge(limit));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }
}

impl From<Incoming> for Body {
    fn from(body: Incoming) -> Self {
        Self(Kind::Incoming(body, None))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(if bytes.is_empty() { Kind::Empty } else { Kind::Full(bytes) })
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body")
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Kind::Incoming(body, lease) => {
                let frame = std::task::ready!(Pin::new(&mut *body).poll_frame(cx));
                let ended = match &frame {
                    None => true,
                    Some(Ok(frame)) => frame.is_trailers() || http_body::Body::is_end_stream(body),
                    Some(Err(_)) => false,
                };
                if ended && let Some(lease) = lease.take() {
                    lease.end();
                }
                Poll::Ready(frame.map(|frame| Ok(without_ours(frame?))))
            }
            Kind::Other(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(_) => false,
            Kind::Incoming(body, _) => body.is_end_stream(),
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming(body, _) => body.size_hint(),
            Kind::Other(body) => body.size_hint(),
        }
    }
}

/// Trailers are fields like others: no payment header passes among them.
fn without_ours(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            fields::strip_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}
