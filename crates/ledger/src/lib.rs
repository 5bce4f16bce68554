//! Payment states, double entry, and the [`Store`] they are kept in. No I/O but `Store`.
//!
//! The proofs of the pipeline ([`Claimed`], [`Submitted`], [`Settled`]) are made only by [`Ledger`], each in one place, after the store
//! has said that the row is durable.

mod book;
mod entry;
mod lane;
mod proof;
mod record;
mod store;
mod transition;

pub use book::{Claim, Ledger, NotDone, Redelivery, StepError};
pub use entry::{Account, Balance, Entry, UnknownAccount};
pub use lane::{LaneLease, LaneOutcome, WorkerId};
pub use proof::{Claimed, Settled, Submitted};
pub use record::{Attempt, Binding, KeptReply, Record, Settlement, State};
pub use store::{Advance, Fault, ListFilter, NewRecord, RedeliveryGrant, Store, StoreError};
pub use transition::{Transition, Unsound};

#[cfg(test)]
mod tests;
