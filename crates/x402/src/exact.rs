//! The `exact` scheme on EVM by EIP-3009 (schemes/exact/scheme_exact_evm.md §1): the pure checks.

use crate::{
    Address, Asset, B256, Bytes, PaymentKey, Reason, Terms, Timestamp, U256, eip712,
    encoding::Malformed,
    object::Object,
    signature::{self, SignatureForm},
};
use serde_json::{Map, Value, json};

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
    pub fn key(&self) -> &PaymentKey {
        &self.key
    }
    pub fn payer(&self) -> Address {
        self.authorization.from
    }
    pub fn authorization(&self) -> &Authorization {
        &self.authorization
    }
    pub fn form(&self) -> &SignatureForm {
        &self.form
    }
    /// The signature as sent.
    pub fn signature(&self) -> &Bytes {
        &self.signature
    }
    pub fn proof(&self) -> Proof {
        self.proof
    }
}

/// Grammar and signature only: who signed what. Needs no chain. `domain_separator` is the asset's.
///
/// Errors: [`Reason::Signature`] for a malformed one (see [`crate::signature::MalformedSignature`]).
pub fn authenticate(payload: &ExactPayload, asset: &Asset, domain_separator: &B256) -> Result<Authenticated, Reason> {
    let authorization = payload.authorization.clone();
    let form = SignatureForm::parse(&payload.signature).map_err(|_| Reason::Signature)?;
    let proof = match &form {
        SignatureForm::Ecdsa(signature) => {
            let digest = eip712::transfer_digest(domain_separator, &authorization);
            if signature::recover(&digest, signature) == Some(authorization.from) { Proof::Recovered } else { Proof::ChainDecides }
        }
        SignatureForm::Contract(_) | SignatureForm::Counterfactual { .. } => Proof::ChainDecides,
    };
    let key =
        PaymentKey { network: asset.id.network.clone(), contract: asset.id.address, payer: authorization.from, nonce: authorization.nonce };
    Ok(Authenticated { key, authorization, form, signature: payload.signature.clone(), proof })
}

/// Whether the authorization pays exactly these terms: payee, amount (zero refused).
pub fn pays(authorization: &Authorization, terms: &Terms) -> Result<(), Reason> {
    if authorization.to != terms.pay_to {
        return Err(Reason::RecipientMismatch);
    }
    if authorization.value.is_zero() || authorization.value != terms.amount {
        return Err(Reason::ValueMismatch);
    }
    Ok(())
}

/// Whether the window is open at `now` and stays open for `room` seconds (time for the origin and the settlement).
pub fn window(authorization: &Authorization, now: Timestamp, room: u64) -> Result<(), Reason> {
    let now = U256::from(now.0);
    if authorization.valid_after >= now {
        return Err(Reason::ValidAfter);
    }
    // Two 64-bit numbers: their sum fits.
    if now + U256::from(room) >= authorization.valid_before {
        return Err(Reason::ValidBefore);
    }
    Ok(())
}

/// `extra.assetTransferMethod` of [`crate::PaymentRequirements`]: absent means EIP-3009.
pub(crate) fn by_eip3009(extra: Option<&Map<String, Value>>) -> bool {
    extra.and_then(|extra| extra.get("assetTransferMethod")).is_none_or(|method| method == "eip3009")
}

impl ExactPayload {
    /// Reads `payload` of a payment (scheme_exact_evm.md §1 phase 1).
    pub(crate) fn read(payload: &Object<'_>) -> Result<Self, Malformed> {
        let authorization = payload.object("authorization")?;
        Ok(Self {
            signature: payload.signature("signature")?,
            authorization: Authorization {
                from: authorization.address("from")?,
                to: authorization.address("to")?,
                value: authorization.decimal("value")?,
                valid_after: authorization.decimal("validAfter")?,
                valid_before: authorization.decimal("validBefore")?,
                nonce: authorization.word("nonce")?,
            },
        })
    }

    pub(crate) fn to_value(&self) -> Value {
        let authorization = &self.authorization;
        json!({
            "signature": self.signature,
            "authorization": {
                "from": authorization.from.to_string(),
                "to": authorization.to.to_string(),
                "value": authorization.value.to_string(),
                "validAfter": authorization.valid_after.to_string(),
                "validBefore": authorization.valid_before.to_string(),
                "nonce": authorization.nonce,
            },
        })
    }
}

#[cfg(test)]
mod tests;
