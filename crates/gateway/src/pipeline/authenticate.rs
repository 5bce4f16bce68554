//! `authenticate`: grammar and signature only, who signed what.

use facilitator::Facilitator;
use rules::Rule;
use x402::{Address, AssetId, Authenticated, ExactPayload, Network, PaymentPayload, Proof, Reason, Scheme, SchemePayload};

/// Who signed what. Needs no chain and no store.
pub(super) fn authenticate(facilitator: &Facilitator, rule: &Rule, payload: &PaymentPayload) -> Result<Authenticated, Reason> {
    if payload.scheme != Scheme::Exact.as_str() {
        return Err(Reason::UnsupportedScheme);
    }
    let network = Network::parse(&payload.network).map_err(|_| Reason::Network)?;
    let SchemePayload::Exact(exact) = &payload.payload else {
        return Err(if network.chain_id().is_none() { Reason::Network } else { Reason::UnsupportedScheme });
    };
    match &payload.accepted {
        Some(accepted) => {
            let address: Address = accepted.asset.parse().map_err(|_| Reason::Requirements)?;
            facilitator.authenticate(exact, &AssetId { network, address })
        }
        None => by_any_offer(facilitator, rule, &network, exact),
    }
}

/// Version 1 does not name the asset: it is the one of our offers whose domain was signed.
fn by_any_offer(facilitator: &Facilitator, rule: &Rule, network: &Network, exact: &ExactPayload) -> Result<Authenticated, Reason> {
    let mut first = Err(Reason::Network);
    for offer in rule.offers().iter().filter(|offer| offer.terms().network() == network) {
        let authenticated = facilitator.authenticate(exact, &offer.terms().asset);
        if matches!(&authenticated, Ok(payment) if payment.proof() == Proof::Recovered) {
            return authenticated;
        }
        if first.is_err() {
            first = authenticated;
        }
    }
    first
}
