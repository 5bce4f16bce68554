//! A chain in process, for the demo and for tests: a real EVM behind JSON-RPC, with faults on command.
//!
//! It stands for Base Sepolia (chain 84532) with [a token of our own](contracts::Token) at USDC's address there, because
//! the official x402 clients pay only well-known assets. viem, ethers, alloy and cast talk to it.
//!
//! ```
//! use devnet::{Config, Devnet};
//!
//! let devnet = Devnet::start(Config::default())?;
//! let payee = devnet::ACCOUNTS[1].address;
//! devnet.mint(payee, alloy_primitives::U256::from(10_000))?;
//! println!("{} speaks JSON-RPC", devnet.rpc_url());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod admission;
mod block;
mod chain;
mod clock;
pub mod contracts;
mod devnet;
mod evm;
mod faults;
mod pool;
mod rpc;
mod server;
mod state;
#[cfg(test)]
mod tests;

pub use accounts::{ACCOUNTS, DevAccount, TOKEN_OWNER};
pub use chain::{CommandError, Orphans};
pub use devnet::{Config, Devnet, StartError};
pub use faults::{Faults, Outage};
pub use pool::Refusal;
pub use rpc::RpcError;
