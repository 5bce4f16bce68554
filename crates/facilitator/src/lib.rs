//! Verifies and settles payments: on EVM chains with its own signers, or through remote facilitators.
//!
//! RPC stands only behind [`chain::Chain`]. Every settlement is simulated, made durable, sent, and then judged by its logs.

mod background;
pub mod chain;
mod config;
mod directory;
mod facilitator;
#[cfg(test)]
mod fake;
mod outcome;
mod own;
mod release;
mod remote;
pub mod server;

pub use config::{Config, ConfigError, Finality, GasLimits, NetworkConfig, SignerKey};
pub use facilitator::Facilitator;
pub use outcome::{Outcome, Readiness, Refusal, Verification};
