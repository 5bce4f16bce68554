//! `claim`: one atomic durable insert of the payment key, bound to this request.

use facilitator::Verification;
use ledger::{Binding, Claim};

use super::{Down, Outcome, Shared};

/// Ours, or the row that was there first.
pub(super) async fn claim(shared: &Shared, verification: Verification, binding: Binding) -> Result<Claim, Outcome> {
    let Verification { verified, head_block } = verification;
    shared.ledger.claim(verified, Some(binding), head_block).await.map_err(|error| {
        tracing::warn!(%error, "a payment could not be claimed");
        Outcome::Unavailable { down: Down::Store, payment: None }
    })
}
