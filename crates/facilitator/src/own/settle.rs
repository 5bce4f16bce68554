//! From a claim to bytes on their way: simulate, take a nonce, sign, write down, send.

use std::{sync::Arc, time::Duration};

use alloy_primitives::U256;
use ledger::{Attempt, Claimed, NotDone, Record, Settlement, State, StepError, Submitted};
use tokio::{sync::oneshot, time::sleep};
use x402::{Authenticated, Authorization, Bytes, ExactPayload, Reason, exact, signature::SignatureForm};

use super::{
    FEES_FOR, OwnNetwork,
    call::{self, Target, Weight, seconds},
    lane::{GasPrice, Lane, Slot},
    pursue::Pursued,
};
use crate::{
    Outcome, Readiness,
    chain::{Broadcast, Call, ChainError, Refused, Simulation},
};

/// Gas above an estimate, in percent, and in units.
const MARGIN_PERCENT: u64 = 25;
const MARGIN: u64 = 10_000;
/// How often, and how far apart, logs are looked for that must be there.
const LOG_LOOKS: u32 = 5;
const LOG_PAUSE: Duration = Duration::from_millis(300);

/// What is about to be sent.
struct Ready {
    target: Target,
    gas: u64,
}

/// Why nothing is sent.
enum Stop {
    /// It can never settle.
    Refuse(Reason),
    /// Somebody else has settled it.
    Paid(Settlement),
    Unavailable(String),
}

impl From<ChainError> for Stop {
    fn from(ChainError(why): ChainError) -> Self {
        Self::Unavailable(why)
    }
}

impl OwnNetwork {
    /// Settles a claim; the work outlives whoever waits for it.
    pub async fn settle(self: &Arc<Self>, claimed: Claimed) -> Outcome {
        if self.closing.is_cancelled() {
            return self.release(claimed, "shutting down".into()).await;
        }
        if let Readiness::NotReady { why } = self.readiness() {
            return self.release(claimed, why).await;
        }
        let Some(pursued) = self.enter(claimed.id()) else {
            return self.release(claimed, "an earlier attempt is not over yet".into()).await;
        };
        match self.prepare(claimed.record()).await {
            Ok(ready) => self.submit(claimed, pursued, ready).await,
            Err(Stop::Refuse(reason)) => self.refuse(claimed, reason).await,
            Err(Stop::Paid(settlement)) => self.adopt(claimed, pursued, settlement).await,
            Err(Stop::Unavailable(why)) => self.release(claimed, why).await,
        }
    }

    /// The last look before sending: the very call is simulated with the gas it will get.
    async fn prepare(&self, record: &Record) -> Result<Ready, Stop> {
        let payment = self.payment(record).map_err(Stop::Refuse)?;
        self.may_deploy(&payment).map_err(Stop::Refuse)?;
        let (token, payer, nonce) = (record.asset.address, record.key.payer, record.key.nonce);
        let has_code = match payment.form() {
            SignatureForm::Counterfactual { .. } => self.look(token, payer, nonce).await?.facts.payer_has_code,
            SignatureForm::Ecdsa(_) | SignatureForm::Contract(_) => false,
        };
        let target = call::target(&payment, token, has_code);
        match self.gas_for(record, &target).await? {
            Simulation::Succeeds { gas } => Ok(Ready { target, gas }),
            Simulation::Reverts { why } => Err(self.diagnose(record, target.weight, &why).await),
        }
    }

    /// The gas limit the call succeeds with. Plain transfers of a token all need about the same: after the first, one simulation is enough.
    async fn gas_for(&self, record: &Record, target: &Target) -> Result<Simulation, ChainError> {
        let token = self.token(record.asset.address)?;
        let from = self.signers().next().unwrap_or_default();
        let most = self.gas.of(target.weight);
        let call = |gas| Call { from, to: target.to, data: target.data.clone(), gas };
        if target.weight != Weight::Plain {
            return Ok(with_margin(self.chain.estimate(&call(most)).await?, most));
        }
        if let Some(usual) = token.usual_gas(most)
            && let succeeds @ Simulation::Succeeds { .. } = self.chain.simulate(&call(usual)).await?
        {
            return Ok(succeeds);
        }
        let estimate = self.chain.estimate(&call(most)).await?;
        if let Simulation::Succeeds { gas } = estimate {
            token.note_gas(gas);
            return Ok(with_margin(estimate, most));
        }
        // A key's owner may have code by now (EIP-7702), which then judges, for more gas.
        let most = self.gas.of(Weight::Wallet);
        Ok(with_margin(self.chain.estimate(&call(most)).await?, most))
    }

    /// What the payer signed, from the record.
    fn payment(&self, record: &Record) -> Result<Authenticated, Reason> {
        let known = self.asset(record.asset.address).ok_or(Reason::Requirements)?;
        let authorization = Authorization {
            from: record.key.payer,
            to: record.pay_to,
            value: record.amount,
            valid_after: record.valid_after,
            valid_before: record.valid_before,
            nonce: record.key.nonce,
        };
        let payload = ExactPayload { signature: Bytes(record.signature.clone()), authorization };
        exact::authenticate(&payload, &known.asset, &known.domain_separator)
    }

    /// Why the simulation was refused, by what the chain says of the payment.
    async fn diagnose(&self, record: &Record, weight: Weight, why: &str) -> Stop {
        let seen = match self.look_now(record).await {
            Ok(seen) => seen,
            Err(error) => return error.into(),
        };
        if seen.facts.nonce_used {
            return self.used_by_whom(record).await.unwrap_or_else(Stop::from);
        }
        tracing::info!(payment = %record.id, why, "the simulation was refused");
        Stop::Refuse(match seen {
            _ if seen.facts.paused => Reason::AssetPaused,
            _ if seen.facts.payer_blacklisted => Reason::PayerBlocked,
            _ if seen.facts.balance < record.amount => Reason::InsufficientFunds,
            _ if seen.timestamp >= seconds(record.valid_before) => Reason::ValidBefore,
            _ if seen.timestamp <= seconds(record.valid_after) => Reason::ValidAfter,
            _ if weight != Weight::Plain || seen.facts.payer_has_code => Reason::Signature,
            _ => Reason::TransactionState,
        })
    }

    /// The nonce was open when the payment was verified and is used now: settled by somebody else, or cancelled. Logs may lag behind the state.
    async fn used_by_whom(&self, record: &Record) -> Result<Stop, ChainError> {
        for _ in 0..LOG_LOOKS {
            if let Some(settlement) = self.mined_elsewhere(record).await? {
                return Ok(Stop::Paid(settlement));
            }
            if self.is_cancelled(record).await? {
                return Ok(Stop::Refuse(Reason::AuthorizationUsed));
            }
            sleep(LOG_PAUSE).await;
        }
        Ok(Stop::Unavailable("the authorization is used, and the node does not say by whom".into()))
    }

    pub(super) async fn price(&self) -> Result<GasPrice, ChainError> {
        let fees = self.fees().await?;
        let (now, cap) = (fees.base.saturating_add(fees.priority), self.gas.fee_cap);
        if now > cap {
            return Err(ChainError(format!("gas costs {now} wei, more than the cap of {cap}")));
        }
        let max = fees.base.saturating_mul(2).saturating_add(fees.priority).min(cap);
        Ok(GasPrice { max, priority: fees.priority.min(max) })
    }

    /// A nonce of the lane with the least under way, of those whose signer can pay for this gas beside what is under way. A signer that
    /// cannot is found out before anything is written: then the claim is given back.
    async fn slot(&self, gas: u64, price: GasPrice) -> Result<(&Lane, Slot<'_>), String> {
        let mut why = String::from("no lane is held whose signer can pay for gas");
        let mut lanes: Vec<_> = self.lanes.iter().filter_map(|lane| Some((lane.load()?, lane))).collect();
        lanes.sort_by_key(|(load, _)| *load);
        for (load, lane) in lanes {
            let cost = U256::from(price.max).saturating_mul(U256::from(gas));
            let needed = cost.saturating_mul(U256::from(load).saturating_add(U256::ONE));
            if lane.balance(FEES_FOR).is_none_or(|balance| balance < needed) {
                let balance = self.count(lane).await.map_err(|ChainError(why)| why)?.balance;
                lane.note_balance(balance);
                if balance < needed {
                    why = format!("signer {} has {balance} wei, too little for gas beside what is under way", lane.signer());
                    if balance < cost {
                        self.run_dry(lane, "its balance is too little for gas");
                    }
                    continue;
                }
            }
            if let Some(slot) = lane.slot() {
                return Ok((lane, slot));
            }
        }
        Err(why)
    }

    async fn submit(self: &Arc<Self>, claimed: Claimed, pursued: Pursued, ready: Ready) -> Outcome {
        let price = match self.price().await {
            Ok(price) => price,
            Err(ChainError(why)) => return self.release(claimed, why).await,
        };
        let (lane, slot) = match self.slot(ready.gas, price).await {
            Ok(found) => found,
            Err(why) => return self.release(claimed, why).await,
        };
        let signed = match slot.sign(&ready.target, ready.gas, price) {
            Ok(signed) => signed,
            Err(error) => return self.release(claimed, error.to_string()).await,
        };
        let nonce = slot.nonce();
        match self.ledger.submit(claimed, slot.attempt(&signed), Some(slot.lease())).await {
            Ok(submitted) => {
                slot.spend();
                self.send(submitted, pursued, lane, nonce, signed.raw).await
            }
            Err(NotDone { proof, error: StepError::Store(error) }) => self.release(proof, error.to_string()).await,
            Err(NotDone { proof, error: StepError::Overtaken(record) }) if record.state == State::Claimed => {
                // The claim is still ours: it is the lane that was lost.
                drop(slot);
                lane.leave();
                self.release(proof, format!("the lane of signer {} was lost", lane.signer())).await
            }
            Err(NotDone { error: StepError::Overtaken(record), .. }) => self.outcome_of(*record),
        }
    }

    /// Sends what is durable. From here on only the chain can say no.
    async fn send(self: &Arc<Self>, submitted: Submitted, pursued: Pursued, lane: &Lane, nonce: u64, raw: Bytes) -> Outcome {
        match self.chain.broadcast(&raw).await {
            Broadcast::Taken => self.await_end(submitted, pursued).await,
            Broadcast::Maybe { why } => {
                tracing::warn!(payment = %submitted.id(), %why, "sent, perhaps");
                self.await_end(submitted, pursued).await
            }
            Broadcast::Refused(Refused::NonceUsed { why }) => {
                if !self.is_taken_by_another(&submitted, lane, nonce).await {
                    return self.await_end(submitted, pursued).await;
                }
                lane.done(nonce);
                self.withdraw(submitted, why).await
            }
            Broadcast::Refused(Refused::Funds { why }) => {
                lane.give_back(nonce);
                self.run_dry(lane, &why);
                self.withdraw(submitted, why).await
            }
            Broadcast::Refused(Refused::Other { why }) => {
                lane.give_back(nonce);
                self.withdraw(submitted, why).await
            }
        }
    }

    /// Whether the account nonce was certainly mined by another transaction: the node does not know ours, and the chain has counted it. Behind
    /// one URL may stand many nodes that repeat what they are given; and a node may be wrong.
    async fn is_taken_by_another(&self, submitted: &Submitted, lane: &Lane, nonce: u64) -> bool {
        let hash = submitted.record().attempt.as_ref().and_then(Attempt::transaction).unwrap_or_default();
        matches!(self.chain.knows(hash).await, Ok(false)) && self.count(lane).await.is_ok_and(|account| account.mined > nonce)
    }

    /// Waits for the end, within the time that is given to a settlement; the pursuit goes on after it.
    pub async fn await_end(self: &Arc<Self>, submitted: Submitted, pursued: Pursued) -> Outcome {
        let record = submitted.record().clone();
        let (answer, ended) = oneshot::channel();
        self.pursue(submitted, pursued, Some(answer));
        match ended.await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Pending { record: Box::new(record) },
        }
    }

    /// The node has certainly not taken it, and nobody else has the bytes.
    async fn withdraw(self: &Arc<Self>, submitted: Submitted, why: String) -> Outcome {
        tracing::warn!(payment = %submitted.id(), %why, "not sent");
        match self.ledger.fail(submitted, Reason::UnexpectedSettle.code(), None).await {
            Ok(record) => Outcome::Unavailable { record: Some(Box::new(record)), why },
            Err(NotDone { error: StepError::Overtaken(record), .. }) => self.outcome_of(*record),
            Err(NotDone { error: StepError::Store(error), .. }) => Outcome::Unavailable { record: None, why: error.to_string() },
        }
    }

    /// Somebody else's transaction is the settlement: it is written as an attempt, then booked.
    async fn adopt(self: &Arc<Self>, claimed: Claimed, pursued: Pursued, settlement: Settlement) -> Outcome {
        let attempt = Attempt::Foreign { transaction: settlement.transaction };
        match self.ledger.submit(claimed, attempt, None).await {
            Ok(submitted) => self.await_end(submitted, pursued).await,
            Err(NotDone { proof, error: StepError::Store(error) }) => self.release(proof, error.to_string()).await,
            Err(NotDone { error: StepError::Overtaken(record), .. }) => self.outcome_of(*record),
        }
    }

    async fn refuse(&self, claimed: Claimed, reason: Reason) -> Outcome {
        match self.ledger.refuse(claimed, reason.code()).await {
            Ok(record) => Outcome::Failed { record: Box::new(record), reason },
            Err(NotDone { proof, error: StepError::Store(error) }) => self.release(proof, error.to_string()).await,
            Err(NotDone { error: StepError::Overtaken(record), .. }) => self.outcome_of(*record),
        }
    }

    /// Nothing was sent: the payer may try again.
    async fn release(&self, claimed: Claimed, why: String) -> Outcome {
        crate::release::release(&self.ledger, &self.runtime, claimed, why).await
    }

    fn outcome_of(&self, record: Record) -> Outcome {
        crate::release::outcome_of(record)
    }
}

fn with_margin(estimate: Simulation, most: u64) -> Simulation {
    match estimate {
        Simulation::Succeeds { gas } if gas > most => Simulation::Reverts { why: format!("it needs {gas} gas, more than {most}") },
        Simulation::Succeeds { gas } => {
            let gas = gas.saturating_add(gas.saturating_mul(MARGIN_PERCENT) / 100).saturating_add(MARGIN);
            Simulation::Succeeds { gas: gas.min(most) }
        }
        reverts @ Simulation::Reverts { .. } => reverts,
    }
}
