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
    /// Sent, and nobody can say yet what became of it.
    Unknown,
    /// Settled by this evidence. A pair (transaction, log index) settles one payment only.
    Settle { settlement: Settlement },
    /// Can never settle: by what was sent, or (from `Claimed`) because the last simulation before sending refused it for good.
    Fail { reason: String, transaction: Option<B256> },
    /// The settlement's block left the chain.
    Revert,
}

impl Transition {
    /// The states it starts from.
    pub fn from(&self) -> &'static [State] {
        match self {
            Self::Release { .. } => &[State::Claimed],
            Self::Submit { .. } => &[State::Claimed, State::Reverted],
            Self::Unknown => &[State::Submitted],
            Self::Settle { .. } => &[State::Submitted, State::Unknown, State::Reverted],
            Self::Fail { .. } => &[State::Claimed, State::Submitted, State::Unknown, State::Reverted],
            Self::Revert => &[State::Settled],
        }
    }

    /// The state it leads to.
    pub fn to(&self) -> State {
        match self {
            Self::Release { .. } => State::Released,
            Self::Submit { .. } => State::Submitted,
            Self::Unknown => State::Unknown,
            Self::Settle { .. } => State::Settled,
            Self::Fail { .. } => State::Failed,
            Self::Revert => State::Reverted,
        }
    }

    /// The entries written with it.
    pub fn entries(&self, record: &Record) -> Vec<Entry> {
        let entry = |debit, credit, amount, payment: PaymentId| Entry { payment, debit, credit, asset: record.asset.clone(), amount };
        let (payer, seller) = (Account::Payer(record.key.payer), Account::Seller(record.pay_to));
        match self {
            Self::Settle { settlement } => vec![entry(payer, seller, settlement.amount, record.id)],
            Self::Revert => record.settlement.iter().map(|s| entry(seller, payer, s.amount, record.id)).collect(),
            Self::Release { .. } | Self::Submit { .. } | Self::Unknown | Self::Fail { .. } => Vec::new(),
        }
    }
}
