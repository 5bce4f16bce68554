//! What verifying and settling end in.

use ledger::{Record, Settled};
use x402::{Reason, Verified};

/// Whether payments on a network may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    /// For the operator and the log: what is not as it should be.
    NotReady {
        why: String,
    },
}

impl Readiness {
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }
}

/// A payment that would settle now.
#[must_use]
#[derive(Clone, Debug)]
pub struct Verification {
    pub verified: Verified,
    /// The block it was judged at; zero where a remote facilitator judged. It goes into the claim.
    pub head_block: u64,
}

/// Why a payment is not verified. No money moved, no row was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The payer's to mend: 402.
    #[error("{}", .0.code())]
    Invalid(Reason),
    /// The network is not ready: 503 `network_not_ready`.
    #[error("network not ready: {why}")]
    NotReady { why: String },
    /// A dependency is down: 503, to be tried again.
    #[error("{why}")]
    Unavailable { why: String },
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason)
    }
}

/// What a settlement ended in.
#[expect(clippy::large_enum_variant, reason = "made once per settlement; the proof is handed on by value")]
#[must_use]
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The money moved, and the books say so.
    Settled(Settled),
    /// It can never settle by what was sent, or was refused for good before anything was sent. No money moved.
    Failed { record: Box<Record>, reason: Reason },
    /// Sent, and nobody can say yet. Watched to its end; `record.attempt` has the hash.
    Pending { record: Box<Record> },
    /// Nothing was taken by the chain; the payment is released (`record`, where the store could be asked), to be tried again.
    Unavailable { record: Option<Box<Record>>, why: String },
}
