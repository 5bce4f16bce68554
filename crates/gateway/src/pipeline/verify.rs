//! `verify`: window, then chain facts.

use facilitator::{Refusal, Verification};
use x402::{Authenticated, Terms};

use super::{Down, Outcome, Shared};

/// A payment that would settle now, with room in its window for the origin and the settlement.
pub(super) async fn verify(shared: &Shared, payment: Authenticated, terms: Terms) -> Result<Verification, Outcome> {
    let room = shared.limits.settlement_room.min(terms.max_timeout_seconds / 2);
    let (network, payer) = (terms.network().as_str().to_owned(), payment.payer());
    shared.facilitator.verify(payment, terms, room).await.map_err(|refusal| match refusal {
        Refusal::Invalid(reason) => Outcome::Invalid { reason, network, payer: Some(payer) },
        Refusal::NotReady { why } => {
            tracing::warn!(%network, why, "a payment came before its network was ready");
            Outcome::Unavailable { down: Down::Network, payment: None }
        }
        Refusal::Unavailable { why } => {
            tracing::warn!(%network, why, "a payment could not be verified");
            Outcome::Unavailable { down: Down::Facilitator, payment: None }
        }
    })
}
