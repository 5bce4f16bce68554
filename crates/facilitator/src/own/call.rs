//! The call that settles a payment.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use x402::{Authenticated, Authorization, Proof, signature::SignatureForm};

use crate::GasLimits;
use crate::chain::{Call3, MULTICALL3, aggregate3Call, transferWithAuthorization_0Call, transferWithAuthorization_1Call};

/// Where to call, with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub to: Address,
    pub data: Bytes,
    pub weight: Weight,
}

/// What decides how much gas it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The token recovers a key.
    Plain,
    /// A contract judges the signature.
    Wallet,
    /// The contract is deployed first.
    Deployment,
}

impl GasLimits {
    pub(super) fn of(&self, weight: Weight) -> u64 {
        match weight {
            Weight::Plain => self.plain,
            Weight::Wallet => self.wallet,
            Weight::Deployment => self.deployment,
        }
    }
}

/// `transferWithAuthorization` for this payment: with v, r, s where the payer's own key signed (every EIP-3009 token has that form), else with
/// the bytes for the payer's contract. A wallet that is not deployed yet is deployed in the same transaction by Multicall3, which holds
/// nothing a hostile factory could take; never by the signer's account.
///
/// `has_code`: the payer is a contract already, a key that delegates to one included (EIP-7702).
pub fn target(payment: &Authenticated, token: Address, has_code: bool) -> Target {
    let authorization = payment.authorization();
    let judged = |signature: Bytes| Target { to: token, data: by_contract(authorization, signature), weight: Weight::Wallet };
    match payment.form() {
        SignatureForm::Ecdsa(signature) if payment.proof() == Proof::Recovered => {
            let weight = if has_code { Weight::Wallet } else { Weight::Plain };
            Target { to: token, data: by_key(authorization, signature), weight }
        }
        SignatureForm::Ecdsa(signature) => judged(Bytes::copy_from_slice(signature)),
        SignatureForm::Contract(signature) => judged(signature.clone()),
        SignatureForm::Counterfactual { inner, .. } if has_code => judged(inner.clone()),
        SignatureForm::Counterfactual { factory, calldata, inner } => {
            // Somebody may deploy the wallet first: then the factory's call fails, and the transfer decides.
            let deploy = Call3 { target: *factory, allowFailure: true, callData: calldata.clone() };
            let transfer = Call3 { target: token, allowFailure: false, callData: by_contract(authorization, inner.clone()) };
            Target {
                to: MULTICALL3,
                data: aggregate3Call { calls: vec![deploy, transfer] }.abi_encode().into(),
                weight: Weight::Deployment,
            }
        }
    }
}

fn by_key(authorization: &Authorization, signature: &[u8; 65]) -> Bytes {
    let (rs, v) = signature.split_at(64);
    let (r, s) = rs.split_at(32);
    let v = v.first().copied().unwrap_or_default();
    let call = transferWithAuthorization_0Call {
        from: authorization.from,
        to: authorization.to,
        value: authorization.value,
        validAfter: authorization.valid_after,
        validBefore: authorization.valid_before,
        nonce: authorization.nonce,
        // Tokens want 27 or 28; a parity of 0 or 1 is the same signature.
        v: if v < 27 { v + 27 } else { v },
        r: B256::from_slice(r),
        s: B256::from_slice(s),
    };
    call.abi_encode().into()
}

fn by_contract(authorization: &Authorization, signature: Bytes) -> Bytes {
    let call = transferWithAuthorization_1Call {
        from: authorization.from,
        to: authorization.to,
        value: authorization.value,
        validAfter: authorization.valid_after,
        validBefore: authorization.valid_before,
        nonce: authorization.nonce,
        signature,
    };
    call.abi_encode().into()
}

/// Seconds of a `uint256` time; what is later than any clock is for ever.
pub fn seconds(time: U256) -> u64 {
    time.saturating_to()
}
