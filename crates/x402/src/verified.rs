//! From who signed what to "this would pay": the pure part of verification, fed evidence as data.

use crate::{Authenticated, Proof, Reason, Terms, Timestamp, U256, exact};

/// What a chain said of a payer and an authorization, at one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub balance: U256,
    /// `authorizationState(payer, nonce)`: used or cancelled.
    pub nonce_used: bool,
    pub paused: bool,
    pub payer_blacklisted: bool,
    /// The payer has code (a contract wallet, EIP-7702 included).
    pub payer_has_code: bool,
}

/// Why we believe that the transfer would succeed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Facts of the last block: enough for a recovered signature on a built-in asset (DESIGN §4).
    Facts(Facts),
    /// The very call was simulated and succeeded: needed for contract wallets and configured tokens.
    Simulated(Facts),
    /// A remote facilitator answered `isValid: true`.
    Facilitator,
}

/// An authorization that pays these terms and would settle at this moment. Made only by [`verify`].
#[must_use]
#[derive(Clone, Debug)]
pub struct Verified {
    payment: Authenticated,
    terms: Terms,
}

impl Verified {
    pub fn payment(&self) -> &Authenticated {
        &self.payment
    }
    pub fn terms(&self) -> &Terms {
        &self.terms
    }
}

/// The checks of scheme_exact_evm.md §1 phase 2, in the order of the reasons a payer can mend.
///
/// `room` is what must be left of the window, in seconds, for origin and settlement.
pub fn verify(payment: Authenticated, terms: Terms, evidence: Evidence, now: Timestamp, room: u64) -> Result<Verified, Reason> {
    if payment.key().network != terms.asset.network {
        return Err(Reason::Network);
    }
    if payment.key().contract != terms.asset.address {
        return Err(Reason::Requirements);
    }
    exact::pays(payment.authorization(), &terms)?;
    exact::window(payment.authorization(), now, room)?;
    match evidence {
        Evidence::Facilitator => {}
        Evidence::Facts(facts) => {
            if payment.proof() != Proof::Recovered || facts.payer_has_code {
                return Err(Reason::Signature);
            }
            judge(&facts, &terms)?;
        }
        Evidence::Simulated(facts) => judge(&facts, &terms)?,
    }
    Ok(Verified { payment, terms })
}

fn judge(facts: &Facts, terms: &Terms) -> Result<(), Reason> {
    if facts.paused {
        return Err(Reason::AssetPaused);
    }
    if facts.payer_blacklisted {
        return Err(Reason::PayerBlocked);
    }
    if facts.nonce_used {
        return Err(Reason::AuthorizationUsed);
    }
    if facts.balance < terms.amount {
        return Err(Reason::InsufficientFunds);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
