//! The proofs a payment earns on its way. Private fields; made only by [`crate::Ledger`]; consumed by value.

use x402::{PaymentId, Terms, Verified};

use crate::{Record, Settlement};

/// This process, and no other, may let this payment into the origin.
#[must_use = "a claim must be submitted or released"]
#[derive(Debug)]
pub struct Claimed {
    pub(crate) record: Record,
}

/// Bytes for this payment are durable; they may be sent, and may have been.
#[must_use = "what was submitted must be watched to its end"]
#[derive(Debug)]
pub struct Submitted {
    pub(crate) record: Record,
}

/// The money moved, and the books say so.
#[must_use]
#[derive(Clone, Debug)]
pub struct Settled {
    pub(crate) record: Record,
    pub(crate) settlement: Settlement,
}

impl Claimed {
    pub fn id(&self) -> PaymentId {
        self.record.id
    }
    pub fn record(&self) -> &Record {
        &self.record
    }
}

impl Submitted {
    pub fn id(&self) -> PaymentId {
        self.record.id
    }
    pub fn record(&self) -> &Record {
        &self.record
    }
}

impl Settled {
    pub fn id(&self) -> PaymentId {
        self.record.id
    }
    pub fn record(&self) -> &Record {
        &self.record
    }
    pub fn settlement(&self) -> &Settlement {
        &self.settlement
    }
}

/// What a new row takes from a verified payment.
pub(crate) fn terms_of(verified: &Verified) -> &Terms {
    verified.terms()
}
