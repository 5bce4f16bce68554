//! Who works: workers (processes) and lanes (one per signer and chain).

use std::fmt;

use x402::{Address, Network};

/// One process on the store; new at every start.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WorkerId(pub String);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to give out account nonces of `signer` on `network`. A write under an older epoch is refused by the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneLease {
    pub network: Network,
    pub signer: Address,
    pub worker: WorkerId,
    pub epoch: u64,
    /// Highest account nonce ever written in an attempt of this lane, plus one; zero where none was.
    pub next_nonce: u64,
}

/// The answer to asking for a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneOutcome {
    Held(LaneLease),
    /// Another live process has it.
    Busy(WorkerId),
}
