//! The buyer's side: asks for a resource, reads the 402, signs one authorization within a limit, and asks again.
//!
//! What holds: at most one signature a run; only offers in the well-known dollar assets of [`x402::known`]; nothing is signed above the
//! limit; once a payment is attached no redirect is followed. The key is wiped from memory when the [`Wallet`] is dropped.

mod answer;
mod offers;
mod pay;
mod request;
mod sign;
mod usd;
mod wallet;

pub use answer::{Answer, Body, BrokenOff, End, PayReport, Payment, Unreported};
pub use offers::{Challenge, Choice, Limits, Payable, Unpayable, Unreadable};
pub use pay::pay;
pub use request::{BadRequest, Request};
pub use sign::{NotSignable, sign};
pub use usd::{BadUsd, Usd};
pub use wallet::{BadKey, Wallet};

#[cfg(test)]
mod tests;
