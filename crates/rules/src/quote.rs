//! Signed quotes: what an offer promised, for how long.

use crate::{Offer, Rule, RuleSet};
use x402::{PaymentPayload, Reason, Terms, Timestamp};

/// Signs and reads quotes. The key is the gateway's secret, shared by a fleet.
pub struct Quotes {}

/// A quote that is ours and has not expired.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// What it promised.
    pub terms: Terms,
    pub expires: Timestamp,
}

/// Why a quote counts for nothing. The payer's fault; a fresh offer helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    #[error("not a quote of ours")]
    Forged,
    #[error("expired")]
    Expired,
}

impl Quotes {
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let _ = key;
        todo!()
    }

    /// A quote for this offer of this rule, valid for the rule's `quote_for` from `now`; `random` makes it unguessable
    /// and is never put on chain.
    #[must_use]
    pub fn issue(&self, rule: &Rule, offer: &Offer, now: Timestamp, random: [u8; 16]) -> String {
        let _ = (rule, offer, now, random);
        todo!()
    }

    /// What a quote promised.
    pub fn read(&self, quote: &str, now: Timestamp) -> Result<Quote, QuoteError> {
        let _ = (quote, now);
        todo!()
    }
}

/// The terms a payment must meet: those of one of our offers, exactly. With an echoed quote, what it promised until it
/// expires; without, a price in force now or within `quote_for` before (see [`RuleSet::replacing`]).
///
/// Errors: [`Reason::UnsupportedScheme`], [`Reason::Network`], [`Reason::RecipientMismatch`], [`Reason::ValueMismatch`],
/// [`Reason::Requirements`] — 402, no money moved.
pub fn price(ruleset: &RuleSet, rule: &Rule, payload: &PaymentPayload, quotes: &Quotes, now: Timestamp) -> Result<Terms, Reason> {
    let _ = (ruleset, rule, payload, quotes, now);
    todo!()
}
