//! Claims that end without anything sent, and what a record says of its payment.

use std::time::Duration;

use ledger::{Claimed, Ledger, NotDone, Record, State, StepError};
use tokio::{runtime::Handle, time::sleep};
use x402::Reason;

use crate::Outcome;

/// Between two tries to write down that a claim is given back.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives a claim back. Where the store cannot be asked, that is tried again until it can.
pub async fn release(ledger: &Ledger, runtime: &Handle, claimed: Claimed, why: String) -> Outcome {
    match ledger.release(claimed, &why).await {
        Ok(record) => Outcome::Unavailable { record: Some(Box::new(record)), why },
        Err(NotDone { error: StepError::Overtaken(record), .. }) => outcome_of(*record),
        Err(NotDone { proof, error: StepError::Store(_) }) => {
            runtime.spawn(release_later(ledger.clone(), proof, why.clone()));
            Outcome::Unavailable { record: None, why }
        }
    }
}

async fn release_later(ledger: Ledger, mut claimed: Claimed, why: String) {
    loop {
        sleep(PAUSE).await;
        match ledger.release(claimed, &why).await {
            Err(NotDone { proof, error: StepError::Store(_) }) => claimed = proof,
            Ok(_) | Err(NotDone { error: StepError::Overtaken(_), .. }) => return,
        }
    }
}

/// What the books say of a payment, for who comes second.
pub fn outcome_of(record: Record) -> Outcome {
    match record.state {
        State::Settled => match Ledger::settled(record.clone()) {
            Some(settled) => Outcome::Settled(settled),
            None => Outcome::Pending { record: Box::new(record) },
        },
        State::Submitted | State::Unknown | State::Reverted => Outcome::Pending { record: Box::new(record) },
        State::Failed | State::Lost => Outcome::Failed { reason: reason_of(&record), record: Box::new(record) },
        State::Claimed | State::Released => {
            let why = record.reason.clone().unwrap_or_else(|| "the payment is being worked on elsewhere".into());
            Outcome::Unavailable { record: Some(Box::new(record)), why }
        }
    }
}

/// The reason that was written, or that it was none we know.
pub fn reason_of(record: &Record) -> Reason {
    record.reason.as_deref().and_then(Reason::from_code).unwrap_or(Reason::UnexpectedSettle)
}
