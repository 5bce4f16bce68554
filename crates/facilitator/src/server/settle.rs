//! `/settle`: claims by the payment's key, bound to no request, and returns what the books say.

use std::time::Duration;

use ledger::{Claim, Record, State};
use tokio::time::{Instant, sleep};
use x402::{Reason, SettlementResponse, Terms};

use super::{answer::Refused, exchange::Exchange};
use crate::{Facilitator, Outcome, release::reason_of};

/// What must be left of the window at `/settle`, in seconds.
const ROOM_TO_SETTLE: u64 = 3;
/// Between two looks at a payment that somebody else works on.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Exchange {
    /// Repeated, it returns the recorded result; in flight, it waits; a payment that a gateway has claimed is never submitted here.
    pub async fn settle(&self, facilitator: &Facilitator) -> Result<SettlementResponse, Refused> {
        let (payment, terms) = match self.authenticate(facilitator) {
            Ok(both) => both,
            Err(reason) => return Ok(self.failed(reason.code(), None)),
        };
        let ledger = facilitator.ledger();
        if let Some(record) = ledger.recall(payment.key().id()).await?.filter(|record| !may_be_claimed_anew(record)) {
            return self.wait_for(facilitator, record, &terms).await;
        }
        let verification = match facilitator.verify(payment, terms.clone(), ROOM_TO_SETTLE).await {
            Ok(verification) => verification,
            Err(refusal) => return Ok(self.failed(Refused::of(refusal)?.code(), None)),
        };
        match ledger.claim(verification.verified, None, verification.head_block).await? {
            Claim::Known(record) => self.wait_for(facilitator, record, &terms).await,
            Claim::New(claimed) => match facilitator.settle(claimed).await {
                Outcome::Settled(settled) => Ok(self.told(settled.record(), &terms)),
                Outcome::Failed { record, reason } => Ok(self.failed(reason.code(), Some(&record))),
                Outcome::Pending { record } => Ok(self.failed(Reason::SettlementPending.code(), Some(&record))),
                Outcome::Unavailable { why, .. } => Err(Refused::Unavailable(why)),
            },
        }
    }

    /// Until the books say an end, or that nobody knows; at most as long as a settlement may take.
    async fn wait_for(&self, facilitator: &Facilitator, mut record: Record, terms: &Terms) -> Result<SettlementResponse, Refused> {
        let until = Instant::now() + facilitator.settle_within();
        while matches!(record.state, State::Claimed | State::Submitted) && Instant::now() < until {
            sleep(LOOK_EVERY).await;
            match facilitator.ledger().recall(record.id).await? {
                Some(now) => record = now,
                None => break,
            }
        }
        Ok(self.told(&record, terms))
    }

    /// What a record says of these terms.
    fn told(&self, record: &Record, terms: &Terms) -> SettlementResponse {
        if (&record.asset, record.pay_to, record.amount) != (&terms.asset, terms.pay_to, terms.amount) {
            return self.failed(Reason::AuthorizationUsed.code(), None);
        }
        match record.state {
            State::Settled => SettlementResponse { success: true, amount: Some(record.amount.to_string()), ..self.about(Some(record)) },
            State::Claimed | State::Submitted | State::Unknown | State::Reverted => {
                self.failed(Reason::SettlementPending.code(), Some(record))
            }
            State::Failed | State::Lost => self.failed(reason_of(record).code(), Some(record)),
            State::Released => self.failed(Reason::AuthorizationUsed.code(), Some(record)),
        }
    }

    fn failed(&self, code: &str, record: Option<&Record>) -> SettlementResponse {
        SettlementResponse { error_reason: Some(code.to_owned()), ..self.about(record) }
    }

    fn about(&self, record: Option<&Record>) -> SettlementResponse {
        SettlementResponse {
            success: false,
            error_reason: None,
            payer: self.payer(),
            transaction: record.and_then(Record::transaction).map(|hash| hash.to_string()).unwrap_or_default(),
            network: self.requirements.network.clone(),
            amount: None,
            payment: record.map(|record| record.id.to_string()),
            extensions: None,
        }
    }
}

/// What ended without money may be tried again by the same kind of claim: a gateway's belongs to its request.
fn may_be_claimed_anew(record: &Record) -> bool {
    record.binding.is_none() && matches!(record.state, State::Released | State::Failed)
}
