//! Signed quotes: what an offer promised, and for how long.
//!
//! A quote stands in `extra.quote` of a version 2 offer, and comes back in the payment's `accepted`. Its first part is a signed
//! [`Promise`]: base64url without padding over a version byte, the rule's digest, the expiry, the terms in full, and the first
//! 128 bits of an HMAC-SHA256 over all of that. Carrying the terms it needs no memory: it outlives a reload that changes the
//! price, and any gateway of a fleet that shares the key reads it. After a dot come 128 random bits. Nobody signs them: they
//! promise nothing, they make the header of who was offered this a secret.

use crate::{Offer, Rule, RuleSet};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use x402::{Address, AssetId, Authorization, Network, PaymentPayload, Reason, Scheme, SchemePayload, Terms, Timestamp, U256, exact};

const VERSION: u8 = 1;
/// Bytes of the truncated HMAC.
const TAG: usize = 16;
/// Random bytes of a quote.
const RANDOM: usize = 16;

/// Signs and reads quotes. The key is the gateway's secret, shared by a fleet.
pub struct Quotes {
    key: hmac::Key,
}

/// A quote that is ours and has not expired.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    rule: [u8; 16],
    /// What it promised.
    pub terms: Terms,
    /// The last second in which it counts.
    pub expires: Timestamp,
}

/// What is the same in all quotes of one offer in one second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise(String);

impl Promise {
    /// The quote. `random` makes it unguessable, and is never put on chain.
    #[must_use]
    pub fn quote(&self, random: [u8; RANDOM]) -> String {
        [self.as_str(), &Self::rest(random)].concat()
    }

    /// How its quotes begin.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How a quote ends: its random bits.
    #[must_use]
    pub fn rest(random: [u8; RANDOM]) -> String {
        URL_SAFE_NO_PAD.encode(random)
    }
}

impl AsRef<str> for Promise {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
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
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key) }
    }

    /// A quote for this offer of this rule, valid for the rule's `quote_for` from `now`. Where many are issued, keep the [`Promise`].
    #[must_use]
    pub fn issue(&self, rule: &Rule, offer: &Offer, now: Timestamp, random: [u8; RANDOM]) -> String {
        self.promise(rule, offer, now).quote(random)
    }

    /// What quotes for this offer of this rule promise from `now` for the rule's `quote_for`.
    #[must_use]
    pub fn promise(&self, rule: &Rule, offer: &Offer, now: Timestamp) -> Promise {
        let terms = offer.terms();
        let network = terms.network().as_str().as_bytes();
        let amount = terms.amount.to_be_bytes_trimmed_vec();
        let mut bytes = Vec::with_capacity(160);
        bytes.push(VERSION);
        bytes.extend_from_slice(rule.digest());
        bytes.extend_from_slice(&now.after(rule.quote_for()).0.to_be_bytes());
        bytes.extend_from_slice(&terms.max_timeout_seconds.to_be_bytes());
        bytes.extend_from_slice(terms.asset.address.as_slice());
        bytes.extend_from_slice(terms.pay_to.as_slice());
        for part in [amount.as_slice(), network] {
            // An amount has at most 32 bytes, a CAIP-2 network at most 41.
            bytes.push(part.len() as u8);
            bytes.extend_from_slice(part);
        }
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(tag.as_ref().get(..TAG).unwrap_or_default());
        let mut text = URL_SAFE_NO_PAD.encode(bytes);
        text.push('.');
        Promise(text)
    }

    /// What a quote promised.
    pub fn read(&self, quote: &str, now: Timestamp) -> Result<Quote, QuoteError> {
        let (promise, random) = quote.split_once('.').ok_or(QuoteError::Forged)?;
        if URL_SAFE_NO_PAD.decode(random).map_err(|_| QuoteError::Forged)?.len() != RANDOM {
            return Err(QuoteError::Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(promise).map_err(|_| QuoteError::Forged)?;
        let (signed, tag) = bytes.split_last_chunk::<TAG>().ok_or(QuoteError::Forged)?;
        let expected = hmac::sign(&self.key, signed);
        let expected = expected.as_ref().get(..TAG).unwrap_or_default();
        constant_time::verify_slices_are_equal(expected, tag).map_err(|_| QuoteError::Forged)?;
        let quote = Reader(signed).quote().ok_or(QuoteError::Forged)?;
        if now > quote.expires { Err(QuoteError::Expired) } else { Ok(quote) }
    }
}

impl Quote {
    /// Whether it was issued for that rule. Rules with an id stay the same over reloads; others as long as their `when`.
    #[must_use]
    pub fn is_for(&self, rule: &Rule) -> bool {
        self.rule == *rule.digest()
    }
}

/// Takes the fields of a quote one after the other.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn part(&mut self) -> Option<&'b [u8]> {
        let [length] = self.take()?;
        let (part, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        Some(part)
    }

    fn quote(mut self) -> Option<Quote> {
        let [VERSION] = self.take()? else { return None };
        let rule = self.take()?;
        let expires = Timestamp(u64::from_be_bytes(self.take()?));
        let max_timeout_seconds = u64::from_be_bytes(self.take()?);
        let address = Address::from(self.take::<20>()?);
        let pay_to = Address::from(self.take::<20>()?);
        let amount = U256::try_from_be_slice(self.part()?)?;
        let network = Network::parse(std::str::from_utf8(self.part()?).ok()?).ok()?;
        let asset = AssetId { network, address };
        self.0.is_empty().then_some(Quote {
            rule,
            terms: Terms { scheme: Scheme::Exact, asset, pay_to, amount, max_timeout_seconds },
            expires,
        })
    }
}

/// The terms a payment must meet: those of one of our offers, exactly. With an echoed quote, what it promised until it
/// expires; without, a price in force now or within `quote_for` before (see [`RuleSet::replacing`]). What the payer
/// signed pays these terms.
///
/// Errors: [`Reason::UnsupportedScheme`], [`Reason::Network`], [`Reason::RecipientMismatch`], [`Reason::ValueMismatch`],
/// [`Reason::Requirements`] — 402, no money moved.
pub fn price(ruleset: &RuleSet, rule: &Rule, payload: &PaymentPayload, quotes: &Quotes, now: Timestamp) -> Result<Terms, Reason> {
    if payload.scheme != Scheme::Exact.as_str() {
        return Err(Reason::UnsupportedScheme);
    }
    let network = Network::parse(&payload.network).map_err(|_| Reason::Network)?;
    let in_force: Vec<&Terms> = ruleset.in_force(rule, now).filter(|terms| *terms.network() == network).collect();
    let quoted = match &payload.accepted {
        Some(accepted) => Some((Terms::try_from(accepted)?, accepted.extra.as_ref().and_then(|extra| extra.get("quote")))),
        None => None,
    };
    if in_force.is_empty() && quoted.as_ref().is_none_or(|(_, quote)| quote.is_none()) {
        return Err(Reason::Network);
    }
    let SchemePayload::Exact(exact) = &payload.payload else { return Err(Reason::UnsupportedScheme) };
    let authorization = &exact.authorization;
    match quoted {
        None => unquoted(&in_force, authorization),
        Some((accepted, None)) => {
            let terms = in_force.into_iter().find(|terms| **terms == accepted).ok_or(Reason::Requirements)?;
            exact::pays(authorization, terms).map(|()| terms.clone())
        }
        Some((accepted, Some(quote))) => {
            let quote = quote.as_str().and_then(|quote| quotes.read(quote, now).ok()).filter(|quote| quote.is_for(rule));
            let terms = quote
                .map(|quote| quote.terms)
                .filter(|terms| *terms == accepted && *terms.network() == network)
                .ok_or(Reason::Requirements)?;
            exact::pays(authorization, &terms).map(|()| terms)
        }
    }
}

/// Version 1 echoes nothing: the first of our terms that the authorization pays; else what is wrong with it for the first.
fn unquoted(in_force: &[&Terms], authorization: &Authorization) -> Result<Terms, Reason> {
    let paid = in_force.iter().find(|terms| exact::pays(authorization, terms).is_ok());
    match (paid, in_force.first()) {
        (Some(terms), _) => Ok((*terms).clone()),
        (None, Some(first)) => exact::pays(authorization, first).and(Err(Reason::Requirements)),
        (None, None) => Err(Reason::Network),
    }
}

#[cfg(test)]
mod tests;
