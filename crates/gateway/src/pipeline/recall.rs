//! `recall`: a known payment is answered from its record, before offers, window, funds or nonce are looked at.

use ledger::{Binding, Record, State};
use x402::{PaymentId, Reason};

use super::{Down, Outcome, Shared};
use crate::delivery::Delivery;

/// What a known payment means for this request.
#[expect(clippy::large_enum_variant, reason = "moved once, and soon taken apart")]
pub(super) enum Recalled {
    /// As unknown: go on.
    Unknown,
    /// Settled, not delivered, and asked for by its buyer.
    Redeemable(Box<Record>),
    Answered(Outcome),
}

/// Looks a payment up.
pub(super) async fn recall(shared: &Shared, id: PaymentId, binding: &Binding) -> Recalled {
    match shared.ledger.recall(id).await {
        Ok(None) => Recalled::Unknown,
        Ok(Some(record)) if matches!(record.state, State::Released | State::Failed) => Recalled::Unknown,
        Ok(Some(record)) => known(shared, record, binding).await,
        Err(error) => {
            tracing::warn!(payment = %id, %error, "a payment could not be looked up");
            Recalled::Answered(Outcome::Unavailable { down: Down::Store, payment: Some(id) })
        }
    }
}

/// Answers for a record, row by row.
pub(super) async fn known(shared: &Shared, record: Record, binding: &Binding) -> Recalled {
    let answered = Recalled::Answered;
    let Some(bound) = &record.binding else {
        let (network, payer) = (record.key.network.to_string(), Some(record.key.payer));
        return answered(Outcome::Invalid { reason: Reason::AuthorizationUsed, network, payer });
    };
    if !bound.is_same(binding) {
        return answered(Outcome::AnotherRequest);
    }
    match record.state {
        State::Settled => settled(shared, Box::new(record)).await,
        State::Submitted | State::Unknown | State::Reverted => answered(Outcome::Pending(Box::new(record))),
        State::Claimed => answered(Outcome::InFlight(record.id)),
        State::Lost => answered(Outcome::Lost(Box::new(record))),
        // A claim was refused by a row that has been given back since: its turn comes with the next try.
        State::Released | State::Failed => answered(Outcome::InFlight(record.id)),
    }
}

async fn settled(shared: &Shared, record: Box<Record>) -> Recalled {
    if record.kept {
        match shared.ledger.kept(record.id).await {
            Ok(Some(reply)) => {
                let delivery = (!record.delivered).then(|| Delivery::new(shared, &record));
                return Recalled::Answered(Outcome::Kept { reply, record, delivery });
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(payment = %record.id, %error, "a kept reply could not be read");
                return Recalled::Answered(Outcome::Unavailable { down: Down::Store, payment: Some(record.id) });
            }
        }
    }
    match (record.delivered, &record.redelivering) {
        (true, _) => Recalled::Answered(Outcome::AlreadyDelivered(record)),
        (false, Some(_)) => Recalled::Answered(Outcome::InFlight(record.id)),
        (false, None) => Recalled::Redeemable(record),
    }
}
