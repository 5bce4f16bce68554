//! How a request can end. [`crate::respond`] knows what each is on the wire.

use http::Response;
use ledger::{KeptReply, Record};
use x402::{Address, PaymentId, Reason, encoding::Malformed};

use crate::{Body, canonical::Ambiguous, delivery::Delivery, origin::OriginError};

/// The end of a request, with all its answer needs. The rows of the table in DESIGN §3, and what stands before it.
#[must_use]
pub(crate) enum Outcome {
    /// The head has a second reading.
    Ambiguous(Ambiguous),
    /// A `block` rule, or no rule with `default = "deny"`.
    Denied,
    /// Nothing is charged here: the origin's answer.
    Free(Response<Body>),
    /// A preflight under a charge rule.
    Preflight(http::HeaderMap),

    /// No payment: the offers.
    Offered,
    /// No offer can be made.
    NoOffers,
    Malformed(Malformed),
    /// Well-formed, and no payment for this. The nonce is not burned.
    Invalid {
        reason: Reason,
        network: String,
        payer: Option<Address>,
    },
    /// Known, for another request or from another header. Nothing of the reply is told.
    AnotherRequest,
    /// Known, and its reply was kept.
    Kept {
        reply: KeptReply,
        record: Box<Record>,
        delivery: Option<Delivery>,
    },
    /// Sent, and the chain has not spoken.
    Pending(Box<Record>),
    /// Claimed by a request that is still under way, or being redelivered.
    InFlight(PaymentId),
    AlreadyDelivered(Box<Record>),
    /// Paid, not delivered, and asked for too often or too late.
    Exhausted(PaymentId),
    /// Settled once, and its block left the chain for good.
    Lost(Box<Record>),
    /// A dependency is down; nothing was sent to a chain.
    Unavailable {
        down: Down,
        payment: Option<PaymentId>,
    },
    /// Refused for good by the chain.
    Failed {
        record: Box<Record>,
        reason: Reason,
    },
    /// Not settled, and the origin's status is not charged: its answer. The claim is released.
    Uncharged(Response<Body>),
    /// Settled, and the origin's status is not charged: its answer, with the receipt. Redeemable.
    Unserved {
        response: Response<Body>,
        record: Box<Record>,
    },
    /// The origin gave no answer. With a record: settled already, redeemable.
    NoAnswer {
        error: OriginError,
        settled: Option<Box<Record>>,
    },
    Paid {
        response: Response<Body>,
        record: Box<Record>,
        delivery: Delivery,
    },
    /// More of a body than is read for a comparison.
    TooLarge(u64),
    /// Our own fault.
    Broken,
}

/// What is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Down {
    Store,
    /// Chain or remote facilitator.
    Facilitator,
    /// Its chain id, token domain and decimals have not been read, or do not agree.
    Network,
}
