//! Keeping a reply whose settlement is still pending, so that the origin need not run twice.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use ledger::{KeptReply, Record};

use super::Shared;
use crate::{Body, delivery::Delivery};

/// An origin that takes longer for the rest of its reply is asked again instead.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// Reads the reply on where it has at most `most` bytes, and stores it with the payment. Until then `delivery` keeps others from the origin;
/// then, or where it cannot be kept, the payment can be redeemed as soon as it has settled.
pub(super) fn in_background(shared: &Arc<Shared>, most: u64, record: &Record, response: Response<Body>, delivery: Delivery) {
    let (shared, record) = (Arc::clone(shared), record.clone());
    let tasks = shared.tasks.clone();
    tasks.spawn(async move {
        if let Some(reply) = whole(&shared, most, response).await
            && let Err(error) = shared.ledger.keep(&record, reply).await
        {
            tracing::warn!(payment = %record.id, %error, "a reply could not be kept");
        }
        delivery.abandon().await;
    });
}

async fn whole(shared: &Shared, most: u64, response: Response<Body>) -> Option<KeptReply> {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return None;
    }
    let (parts, body) = response.into_parts();
    let body = tokio::time::timeout(READ_WITHIN, body.read(most)).await.ok()?.ok()?;
    Some(KeptReply { status: parts.status.as_u16(), headers: pairs(&parts.headers), body, at: shared.clock.now() })
}

fn pairs(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}
