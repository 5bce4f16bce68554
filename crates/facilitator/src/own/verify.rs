//! Whether a payment would settle now.

use std::sync::Arc;

use x402::{Authenticated, Evidence, Proof, Reason, Terms, Timestamp, Verified, signature::SignatureForm};

use super::{
    OwnNetwork,
    call::{self, Weight},
    facts::Seen,
    readiness::suspended,
};
use crate::{
    Readiness, Refusal, Verification,
    chain::{Call, ChainError, Simulation},
};

impl From<ChainError> for Refusal {
    fn from(ChainError(why): ChainError) -> Self {
        Self::Unavailable { why }
    }
}

impl OwnNetwork {
    /// What needs no chain comes first; then facts, one call for many payers; then, where facts are not enough, the very call is simulated.
    pub async fn verify(&self, payment: Authenticated, terms: Terms, room: u64) -> Result<Verification, Refusal> {
        let token = terms.asset.address;
        if payment.key().network != self.network || payment.key().contract != token {
            return Err(Reason::Requirements.into());
        }
        let now = self.ledger.now();
        x402::exact::pays(payment.authorization(), &terms)?;
        x402::exact::window(payment.authorization(), now, room)?;
        self.may_deploy(&payment)?;
        if let Readiness::NotReady { why } = self.readiness() {
            return Err(Refusal::NotReady { why });
        }
        if self.is_suspended(token) {
            return Err(Refusal::NotReady { why: suspended(token) });
        }
        let built_in = self.asset(token).ok_or(Reason::Requirements)?.asset.built_in;
        let seen = self.look(token, payment.payer(), payment.key().nonce).await?;
        let now = now.max(Timestamp(seen.timestamp));
        let verified = if built_in && payment.proof() == Proof::Recovered && !seen.facts.payer_has_code {
            x402::verified::verify(payment, terms, Evidence::Facts(seen.facts), now, room)?
        } else {
            self.verify_by_simulation(payment, terms, seen, now, room).await?
        };
        Ok(Verification { verified, head_block: seen.block })
    }

    async fn verify_by_simulation(
        &self,
        payment: Authenticated,
        terms: Terms,
        seen: Seen,
        now: Timestamp,
        room: u64,
    ) -> Result<Verified, Refusal> {
        // No key, no contract, none to be deployed: nobody can have signed.
        let counterfactual = matches!(payment.form(), SignatureForm::Counterfactual { .. });
        if payment.proof() == Proof::ChainDecides && !seen.facts.payer_has_code && !counterfactual {
            return Err(Reason::Signature.into());
        }
        let token = terms.asset.address;
        let target = call::target(&payment, token, seen.facts.payer_has_code);
        // Judged before the simulation, so that the payer gets the reason that can be mended; believed only after it.
        let verified = x402::verified::verify(payment, terms, Evidence::Simulated(seen.facts), now, room)?;
        let from = self.signers().next().unwrap_or_default();
        let call = Call { from, to: target.to, data: target.data, gas: self.gas.of(target.weight) };
        match self.simulate(call).await? {
            Simulation::Succeeds { .. } => Ok(verified),
            Simulation::Reverts { .. } if target.weight == Weight::Plain => Err(Reason::TransactionState.into()),
            Simulation::Reverts { .. } => Err(Reason::Signature.into()),
        }
    }

    /// On our own runtime: connections belong to the runtime that made them, and verify may be called from any.
    async fn simulate(&self, call: Call) -> Result<Simulation, ChainError> {
        let permit = self.simulations.acquire().await;
        let chain = Arc::clone(&self.chain);
        let simulated = self.runtime.spawn(async move { chain.simulate(&call).await }).await;
        drop(permit);
        simulated.map_err(|error| ChainError(error.to_string()))?
    }

    /// A wallet may be deployed only by a factory of the list: the call is the payer's choice, and we pay for it.
    pub(super) fn may_deploy(&self, payment: &Authenticated) -> Result<(), Reason> {
        match payment.form() {
            SignatureForm::Counterfactual { factory, .. } if !self.factories.contains(factory) => Err(Reason::FactoryNotAllowed),
            _ => Ok(()),
        }
    }
}
