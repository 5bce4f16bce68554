//! Keeping a reply whose settlement is still pending, so that the origin need not run twice.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::Body as _;
use ledger::{KeptReply, Record};

use super::Shared;
use crate::{Body, delivery::Delivery};

/// An origin that takes longer for the rest of its reply is asked again instead.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// Reads the reply on where it has at most `most` bytes, and stores it with the payment. Until then `delivery` keeps others from the origin.
pub(super) fn in_background(shared: &Arc<Shared>, most: u64, record: &Record, response: Response<Body>, delivery: Delivery) {
    if response.body().size_hint().lower() > most || response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let (ledger, now, record) = (shared.ledger.clone(), shared.clock.now(), record.clone());
    shared.tasks.spawn(async move {
        let (parts, body) = response.into_parts();
        let Ok(Ok(body)) = tokio::time::timeout(READ_WITHIN, body.read(most)).await else { return };
        let reply = KeptReply { status: parts.status.as_u16(), headers: pairs(&parts.headers), body, at: now };
        if let Err(error) = ledger.keep(&record, reply).await {
            tracing::warn!(payment = %record.id, %error, "a reply could not be kept");
        }
        drop(delivery);
    });
}

fn pairs(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}
