//! The `exact` scheme on EVM by EIP-3009 (schemes/exact/scheme_exact_evm.md §1): the pure checks.

use crate::{Address, Asset, B256, Bytes, PaymentKey, Reason, Terms, Timestamp, U256, signature::SignatureForm};

/// The parameters of `transferWithAuthorization` (EIP-3009); times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    pub from: Address,
    pub to: Address,
    pub value: U256,
    pub valid_after: U256,
    pub valid_before: U256,
    pub nonce: B256,
}

/// `payload` of an `exact` payment (x402 v2 §5.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactPayload {
    pub signature: Bytes,
    pub authorization: Authorization,
}

/// Who vouches for the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The payer's own key, recovered here.
    Recovered,
    /// Not that key: the payer may be a contract (EIP-1271, EIP-6492, EIP-7702). Only a chain can say.
    ChainDecides,
}

/// A payment whose grammar holds and whose signature is the payer's, or is the chain's to judge. Made only by [`authenticate`].
#[must_use]
#[derive(Clone, Debug)]
pub struct Authenticated {
    key: PaymentKey,
    authorization: Authorization,
    form: SignatureForm,
    signature: Bytes,
    proof: Proof,
}

impl Authenticated {
    pub fn key(&self) -> &PaymentKey { &self.key }
    pub fn payer(&self) -> Address { self.authorization.from }
    pub fn authorization(&self) -> &Authorization { &self.authorization }
    pub fn form(&self) -> &SignatureForm { &self.form }
    /// The signature as sent.
    pub fn signature(&self) -> &Bytes { &self.signature }
    pub fn proof(&self) -> Proof { self.proof }
}

/// Grammar and signature only: who signed what. Needs no chain. `domain_separator` is the asset's.
///
/// Errors: [`Reason::Signature`] for a malformed one (see [`crate::signature::MalformedSignature`]).
pub fn authenticate(payload: &ExactPayload, asset: &Asset, domain_separator: &B256) -> Result<Authenticated, Reason> { todo!() }

/// Whether the authorization pays exactly these terms: payee, amount (zero refused).
pub fn pays(authorization: &Authorization, terms: &Terms) -> Result<(), Reason> { todo!() }

/// Whether the window is open at `now` and stays open for `room` seconds (time for the origin and the settlement).
pub fn window(authorization: &Authorization, now: Timestamp, room: u64) -> Result<(), Reason> { todo!() }
