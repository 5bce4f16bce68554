//! What may happen to a payment, as data for the store: the allowed states before, the state after, what is written with it.

use x402::{B256, PaymentId};

use crate::{Account, Attempt, Entry, LaneLease, Record, Settlement, State};

/// One change of state. The store applies it in one transaction, only where the row stands in one of [`Transition::from`] and has the expected
/// generation; entries are written in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Given back: the payer is not charged, the authorization may be claimed anew for the same request.
    Release { reason: String },
    /// Signed bytes (or the intent of a remote call) made durable before anything is sent. `lane`: demanded for our own transactions.
    Submit { attempt: Attempt, lane: Option<LaneLease> },
    /// Another attempt beside those before it: a stuck transaction is replaced, a reverted settlement sent again.
    Resubmit { attempt: Attempt, lane: Option<LaneLease> },
    /// Sent, and nobody can say yet what became of it.
    Unknown,
    /// Settled by this evidence. A pair (transaction, log index) settles one payment only.
    Settle { settlement: Settlement },
    /// Can never settle: by what was sent, or (from `Claimed`) because the last simulation before sending refused it for good.
    Fail { reason: String, transaction: Option<B256> },
    /// The settlement's block left the chain: its entries are taken back, its log is evidence no more.
    Revert,
    /// A reverted settlement that can never settle again.
    Lose { reason: String },
}

impl Transition {
    /// The states it starts from (DESIGN §5).
    pub fn from(&self) -> &'static [State] {
        match self {
            Self::Release { .. } | Self::Submit { .. } => &[State::Claimed],
            Self::Resubmit { .. } => &[State::Submitted, State::Unknown, State::Reverted],
            Self::Unknown => &[State::Submitted],
            Self::Settle { .. } => &[State::Submitted, State::Unknown],
            Self::Fail { .. } => &[State::Claimed, State::Submitted, State::Unknown],
            Self::Revert => &[State::Settled],
            Self::Lose { .. } => &[State::Reverted],
        }
    }

    /// The state it leads to.
    pub fn to(&self) -> State {
        match self {
            Self::Release { .. } => State::Released,
            Self::Submit { .. } | Self::Resubmit { .. } => State::Submitted,
            Self::Unknown => State::Unknown,
            Self::Settle { .. } => State::Settled,
            Self::Fail { .. } => State::Failed,
            Self::Revert => State::Reverted,
            Self::Lose { .. } => State::Lost,
        }
    }

    /// What is new to be sent, with the lease it was signed under.
    pub fn attempt(&self) -> Option<(&Attempt, Option<&LaneLease>)> {
        match self {
            Self::Submit { attempt, lane } | Self::Resubmit { attempt, lane } => Some((attempt, lane.as_ref())),
            _ => None,
        }
    }

    /// Whether it may be applied to that row at all, whatever its state: what no store can see from its own columns.
    pub fn check(&self, record: &Record) -> Result<(), Unsound> {
        if let Some((Attempt::Own { signer, .. }, lane)) = self.attempt() {
            let lane = lane.ok_or(Unsound::NoLane)?;
            if lane.signer != *signer || lane.network != record.key.network {
                return Err(Unsound::OtherLane);
            }
        }
        match self {
            Self::Settle { settlement } if settlement.amount != record.amount => Err(Unsound::Amount),
            _ => Ok(()),
        }
    }

    /// Whether that row, which refused it, shows that it had been applied before: an answer was lost, the write was not.
    pub fn stands_in(&self, record: &Record) -> bool {
        record.state == self.to() && self.attempt().is_none_or(|(attempt, _)| record.attempt.as_ref() == Some(attempt))
    }

    /// The entries written with it.
    pub fn entries(&self, record: &Record) -> Vec<Entry> {
        let entry = |debit, credit, amount, payment: PaymentId| Entry { payment, debit, credit, asset: record.asset.clone(), amount };
        let (payer, seller) = (Account::Payer(record.key.payer), Account::Seller(record.pay_to));
        match self {
            Self::Settle { settlement } => vec![entry(payer, seller, settlement.amount, record.id)],
            Self::Revert => record.settlement.iter().map(|s| entry(seller, payer, s.amount, record.id)).collect(),
            Self::Release { .. } | Self::Submit { .. } | Self::Resubmit { .. } | Self::Unknown | Self::Fail { .. } | Self::Lose { .. } => {
                Vec::new()
            }
        }
    }
}

/// A transition that contradicts the row it is for: a fault of the caller, nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    #[error("a transaction of our own needs the lease of its lane")]
    NoLane,
    #[error("the lease is another signer's or another network's")]
    OtherLane,
    #[error("the evidence moves another amount than the terms")]
    Amount,
}
