//! Digests that a payment is bound to.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use alloy_primitives::Keccak256;
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use http_body::{Frame, SizeHint};
use x402::B256;

use crate::{Body, body::BodyError};

/// What a payment is bound to beside its own bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// See [`of_request`].
    pub request: B256,
    /// Of the facts that the rules read.
    pub facts: B256,
}

/// Digest of a request: method, authority, canonical path and query, `Range`, and whether a body comes.
/// Every part goes in with its length, so that no two requests give the same bytes.
pub(crate) fn of_request(parts: &Parts, has_body: bool) -> B256 {
    let mut hasher = Keccak256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    part(parts.method.as_str().as_bytes());
    part(parts.headers.get(header::HOST).map_or(b"", |host| host.as_bytes()));
    part(parts.uri.path_and_query().map_or(b"", |target| target.as_str().as_bytes()));
    part(&range(&parts.headers));
    part(&[u8::from(has_body)]);
    hasher.finalize()
}

fn range(headers: &HeaderMap) -> Vec<u8> {
    let ranges: Vec<&[u8]> = headers.get_all(header::RANGE).iter().map(|range| range.as_bytes()).collect();
    ranges.join(&b',')
}

/// Digest of a payment header, its name included.
pub(crate) fn of_header(name: &str, value: &[u8]) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update(name.as_bytes());
    hasher.update(b": ");
    hasher.update(value);
    hasher.finalize()
}

/// A body that passes through and is digested on the way; `ended` gets the digest of a body that came to its end.
pub(crate) fn while_streaming(body: Body, ended: impl FnOnce(B256) + Send + 'static) -> Body {
    Body::new(Digested { body, hasher: Keccak256::new(), ended: Some(Box::new(ended)) })
}

struct Digested {
    body: Body,
    hasher: Keccak256,
    ended: Option<Box<dyn FnOnce(B256) + Send>>,
}

impl http_body::Body for Digested {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.hasher.update(data);
        }
        let ended = frame.is_none() || matches!(frame, Some(Ok(_))) && self.body.is_end_stream();
        if ended && let Some(note) = self.ended.take() {
            note(std::mem::take(&mut self.hasher).finalize());
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
