//! A payment as the store keeps it.

use std::net::IpAddr;

use bytes::Bytes;
use x402::{Address, AssetId, B256, PaymentId, PaymentKey, Timestamp, U256};

use crate::WorkerId;

/// The states of money (DESIGN §5).
///
/// `Claimed → Submitted → Settled | Failed`, `Submitted → Unknown → Settled | Failed`, `Claimed → Released`,
/// `Settled → Reverted → Submitted | Lost`; `Released` and `Failed` may be claimed anew. Credit (`Advanced`) comes with after-response settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Claimed,
    Submitted,
    Unknown,
    Settled,
    Reverted,
    Released,
    Failed,
    Lost,
}

impl State {
    pub const ALL: [Self; 8] =
        [Self::Claimed, Self::Submitted, Self::Unknown, Self::Settled, Self::Reverted, Self::Released, Self::Failed, Self::Lost];

    /// The name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Submitted => "submitted",
            Self::Unknown => "unknown",
            Self::Settled => "settled",
            Self::Reverted => "reverted",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// The state of a name in the store; an unknown name halts the caller, it is never guessed.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The word on the wire (DESIGN §5).
    pub fn on_the_wire(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Submitted | Self::Unknown | Self::Reverted => "pending",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// Nothing more happens to it by itself.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Settled | Self::Released | Self::Failed | Self::Lost)
    }
}

/// The request that a payment is bound to. Absent on a record: claimed by `/settle`, bound to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Digest of method, authority, canonical path and query, `Range` and whether a body came.
    pub request: B256,
    /// Digest of every other fact that the conditions tried or the price read.
    pub facts: B256,
    /// Of the rules' conditions under which `facts` was made: under others other facts are read, and the digests cannot be compared.
    pub conditions: B256,
    /// Digest of the payment header's bytes: only who holds the equal bytes is the buyer.
    pub header: B256,
    /// The claim's `ip.src`.
    pub source: IpAddr,
    /// The payment came by protocol version 1, which carries no secret: the source must match too.
    pub version_1: bool,
    pub rule: String,
    pub method: String,
    /// Canonical path and query.
    pub path: String,
}

impl Binding {
    /// The same request by the same buyer. Without a secret in the header, the buyer is who asks from the same address. What a reload of
    /// the rules makes incomparable takes nothing from who has paid.
    pub fn is_same(&self, asked: &Self) -> bool {
        self.request == asked.request
            && (self.facts == asked.facts || self.conditions != asked.conditions)
            && self.header == asked.header
            && self.version_1 == asked.version_1
            && (!self.version_1 || self.source == asked.source)
    }
}

/// What was, or may have been, sent for a payment. Durable before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Our transaction: only these bytes are ever broadcast.
    Own { signer: Address, account_nonce: u64, raw: Bytes, transaction: B256 },
    /// A remote facilitator's `/settle` was about to be called.
    Remote { facilitator: String },
    /// Somebody else's transaction was found on chain.
    Foreign { transaction: B256 },
}

impl Attempt {
    pub fn transaction(&self) -> Option<B256> {
        match self {
            Self::Own { transaction, .. } | Self::Foreign { transaction } => Some(*transaction),
            Self::Remote { .. } => None,
        }
    }
}

/// The evidence of a settlement: one log pair in one receipt, evidence for this payment only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub transaction: B256,
    pub block_number: u64,
    pub block_hash: B256,
    /// Index of the `Transfer` log in the block. `None` where a remote facilitator's word is all there is.
    pub log_index: Option<u64>,
    /// Atomic units that moved.
    pub amount: U256,
    pub at: Timestamp,
}

/// A reply that was kept for the same header, for 24 h.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReply {
    pub status: u16,
    /// End-to-end headers in order; no payment header of ours among them.
    pub headers: Vec<(String, Bytes)>,
    pub body: Bytes,
    pub at: Timestamp,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: PaymentId,
    pub key: PaymentKey,
    pub state: State,
    /// Grows with every new claim of the same key; fences late workers.
    pub generation: u64,
    pub asset: AssetId,
    pub pay_to: Address,
    /// Atomic units promised by the terms.
    pub amount: U256,
    pub valid_after: U256,
    pub valid_before: U256,
    /// The payer's signature, for settling after a restart.
    pub signature: Bytes,
    pub binding: Option<Binding>,
    pub worker: WorkerId,
    /// Head of the chain when the claim was made: a stranger's transaction counts only after it. Zero where not known.
    pub claimed_block: u64,
    pub claimed_at: Timestamp,
    pub updated_at: Timestamp,
    pub attempt: Option<Attempt>,
    pub settlement: Option<Settlement>,
    /// Reason code of a failure or release.
    pub reason: Option<String>,
    /// Digest of the request's body, once it has been read to its end.
    pub body_digest: Option<B256>,
    /// The last body byte was handed to the socket.
    pub delivered: bool,
    /// Redeliveries that reached a charged status.
    pub redeliveries: u32,
    /// A delivery is under way, by this worker: the claimer's first, or a redelivery.
    pub redelivering: Option<WorkerId>,
    pub kept: bool,
}

impl Record {
    /// The transaction to show: the settlement's, else that of the attempt.
    pub fn transaction(&self) -> Option<B256> {
        self.settlement.as_ref().map(|s| s.transaction).or_else(|| self.attempt.as_ref().and_then(Attempt::transaction))
    }
}
