//! The methods that command the chain. `anvil_`, `hardhat_` and `evm_` names mean the same; ours begin with `devnet_`.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Node, Params, RpcError, answer};
use crate::chain::Orphans;
use crate::faults::Faults;

/// The most blocks mined by one command.
const MINE_CAP: u64 = 10_000;

/// A quantity, as a number or in hex.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Quantity {
    Number(u64),
    Hex(U64),
}

impl Quantity {
    fn get(self) -> u64 {
        match self {
            Self::Number(number) => number,
            Self::Hex(number) => number.to(),
        }
    }
}

pub(super) fn dispatch(node: &Node, method: &str, command: &str, params: &Params) -> Result<Value, RpcError> {
    match command {
        "mine" if method == "evm_mine" => mine_one(node, params),
        "mine" => mine_many(node, params),
        "increaseTime" => answer(node.write().clock.advance(params.get::<Quantity>(0)?.get())),
        "setNextBlockTimestamp" => {
            node.write().set_next_timestamp(params.get::<Quantity>(0)?.get())?;
            answer(Value::Null)
        }
        "setNextBlockBaseFeePerGas" => {
            node.write().set_next_base_fee(params.get::<Quantity>(0)?.get());
            answer(Value::Null)
        }
        "setAutomine" => {
            set_automine(node, params.get(0)?);
            answer(true)
        }
        "getAutomine" => answer(node.read().automine),
        "setIntervalMining" => {
            let seconds = params.get::<Quantity>(0)?.get();
            node.interval.send_replace((seconds > 0).then(|| Duration::from_secs(seconds)));
            node.write().automine = seconds == 0;
            answer(Value::Null)
        }
        "snapshot" => answer(U64::from(node.write().snapshot())),
        "revert" => {
            let id: Quantity = params.get(0)?;
            answer(node.write().revert(id.get()).is_ok())
        }
        "reorg" => reorg(node, params),
        "dropTransaction" => {
            let hash: B256 = params.get(0)?;
            answer(node.write().evict(&hash).then_some(hash))
        }
        "setCode" | "setBalance" | "setNonce" | "setStorageAt" => edit(node, command, params),
        "faults" => faults(node, params),
        "requests" => answer(node.requests()),
        _ => Err(RpcError::Method(method.to_owned())),
    }
}

/// Mines what waits at once when it is switched on.
pub(crate) fn set_automine(node: &Node, automine: bool) {
    let mut chain = node.write();
    chain.automine = automine;
    if automine {
        chain.mine_ready();
    }
}

/// `evm_mine` mines one block, at a timestamp if one is given, plain or as `{timestamp}`.
fn mine_one(node: &Node, params: &Params) -> Result<Value, RpcError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum At {
        Timestamp(Quantity),
        Options { timestamp: Option<Quantity> },
    }
    let timestamp = match params.optional(0)? {
        Some(At::Timestamp(timestamp)) => Some(timestamp),
        Some(At::Options { timestamp }) => timestamp,
        None => None,
    };
    let mut chain = node.write();
    if let Some(timestamp) = timestamp {
        chain.set_next_timestamp(timestamp.get())?;
    }
    chain.mine();
    answer("0x0")
}

/// `anvil_mine` takes how many blocks, and the seconds between them.
fn mine_many(node: &Node, params: &Params) -> Result<Value, RpcError> {
    let blocks = params.optional::<Quantity>(0)?.map_or(1, Quantity::get);
    let apart = params.optional::<Quantity>(1)?.map_or(0, Quantity::get);
    if blocks > MINE_CAP {
        return Err(RpcError::Argument { index: 0, reason: format!("more than {MINE_CAP} blocks") });
    }
    let mut chain = node.write();
    for index in 0..blocks {
        if index > 0 {
            chain.clock.advance(apart);
        }
        chain.mine();
    }
    answer(Value::Null)
}

/// `[depth]`, or `[{depth, orphans: "dropped" | "pooled"}]`.
fn reorg(node: &Node, params: &Params) -> Result<Value, RpcError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Options {
        Depth(Quantity),
        Full { depth: Quantity, orphans: Orphans },
    }
    let (depth, orphans) = match params.get(0)? {
        Options::Depth(depth) => (depth, Orphans::Dropped),
        Options::Full { depth, orphans } => (depth, orphans),
    };
    if params.optional::<Vec<Value>>(1)?.is_some_and(|replacements| !replacements.is_empty()) {
        return Err(RpcError::Argument { index: 1, reason: "replacement transactions are not supported".into() });
    }
    node.write().reorg(depth.get(), orphans)?;
    answer(Value::Null)
}

fn edit(node: &Node, command: &str, params: &Params) -> Result<Value, RpcError> {
    let address: Address = params.get(0)?;
    let mut chain = node.write();
    match command {
        "setCode" => chain.set_code(address, params.get::<Bytes>(1)?),
        "setBalance" => chain.set_balance(address, params.get(1)?),
        "setNonce" => chain.set_nonce(address, params.get::<Quantity>(1)?.get()),
        _ => {
            chain.set_slot(address, params.get(1)?, params.get::<U256>(2)?);
            return answer(true);
        }
    }
    answer(Value::Null)
}

/// With an object: these faults hold from now on, and no others. Without: nothing changes. The answer is what holds.
fn faults(node: &Node, params: &Params) -> Result<Value, RpcError> {
    if let Some(faults) = params.optional::<Faults>(0)? {
        node.write().faults = faults;
    }
    Ok(json!(node.read().faults))
}
