//! `settle`: the facilitator's word, as outcomes; and giving a claim back.

use std::time::Duration;

use ledger::{Claimed, NotDone, Record, Settled, StepError};

use super::{Down, Outcome, Shared};

/// What a settlement ended in, as far as the way goes on from it.
#[expect(clippy::large_enum_variant, reason = "moved once, and soon taken apart")]
pub(super) enum Settling {
    Settled(Settled),
    Pending(Box<Record>),
    Ended(Outcome),
}

pub(super) async fn settle(shared: &Shared, claimed: Claimed) -> Settling {
    let id = claimed.id();
    match shared.facilitator.settle(claimed).await {
        facilitator::Outcome::Settled(settled) => {
            tracing::debug!(payment = %id, "settled");
            Settling::Settled(settled)
        }
        facilitator::Outcome::Pending { record } => Settling::Pending(record),
        facilitator::Outcome::Failed { record, reason } => Settling::Ended(Outcome::Failed { record, reason }),
        facilitator::Outcome::Unavailable { why, .. } => {
            tracing::warn!(payment = %id, why, "a payment could not be settled; nothing was sent");
            Settling::Ended(Outcome::Unavailable { down: Down::Facilitator, payment: Some(id) })
        }
    }
}

/// Gives a claim back. Where the store cannot take that now, it is tried again in the background: a claim of a living worker
/// is nobody else's to release.
pub(super) async fn release(shared: &Shared, claimed: Claimed, reason: &'static str) {
    let Some(mut claimed) = try_release(shared, claimed, reason).await else { return };
    let ledger = shared.ledger.clone();
    shared.tasks.spawn(async move {
        for pause in [1, 2, 4, 8, 16, 32, 64] {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            match ledger.release(claimed, reason).await {
                Err(NotDone { proof, error: StepError::Store(_) }) => claimed = proof,
                Ok(_) | Err(_) => return,
            }
        }
        tracing::error!(payment = %claimed.id(), "a claim could not be released; it is at the next start");
    });
}

async fn try_release(shared: &Shared, claimed: Claimed, reason: &str) -> Option<Claimed> {
    let id = claimed.id();
    match shared.ledger.release(claimed, reason).await {
        Ok(_) => None,
        Err(NotDone { proof, error: StepError::Store(error) }) => {
            tracing::warn!(payment = %id, %error, "a claim is not released yet");
            Some(proof)
        }
        Err(NotDone { error, .. }) => {
            tracing::error!(payment = %id, %error, "a claim moved on without its worker");
            None
        }
    }
}
