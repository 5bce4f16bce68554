//! JSON-RPC 2.0: from bytes to bytes. What the methods do is in the modules beside.

mod control;
mod error;
mod eth;
mod send;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) use self::control::set_automine;
pub use self::error::RpcError;
pub(crate) use self::eth::execute;
pub(crate) use self::send::sign;
use crate::chain::Chain;
use crate::faults::Outage;

/// The node: a chain that several ask and command.
#[derive(Debug)]
pub(crate) struct Node {
    chain: RwLock<Chain>,
    /// How often blocks are mined by the clock.
    pub interval: watch::Sender<Option<Duration>>,
    requests: Mutex<BTreeMap<String, u64>>,
}

/// What goes back on a connection.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    Json(Value),
    /// HTTP status 500.
    Failure,
    /// Nothing: the connection is closed.
    Dropped,
}

/// A request's parameters by position.
#[derive(Debug)]
struct Params(Vec<Value>);

impl Params {
    fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, RpcError> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value).map(Some).map_err(|error| RpcError::Argument { index, reason: error.to_string() }),
        }
    }

    fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, RpcError> {
        self.optional(index)?.ok_or(RpcError::Argument { index, reason: "missing value".into() })
    }
}

fn answer(value: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(value).map_err(|error| RpcError::Server(error.to_string()))
}

/// How a single call ends.
enum Ending {
    Answer(Value),
    Outage(Outage),
}

impl Node {
    pub fn new(chain: Chain, interval: Option<Duration>) -> Self {
        Self { chain: RwLock::new(chain), interval: watch::Sender::new(interval), requests: Mutex::default() }
    }

    pub fn read(&self) -> RwLockReadGuard<'_, Chain> {
        self.chain.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, Chain> {
        self.chain.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often each method was asked for since the start.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers the body of an HTTP request: one call or a batch.
    pub async fn reply(&self, body: &[u8]) -> Reply {
        let request: Value = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return Reply::Json(envelope(Value::Null, Err(RpcError::Parse(error.to_string())))),
        };
        let Value::Array(calls) = request else {
            return match self.call(request).await {
                Ending::Answer(value) => Reply::Json(value),
                Ending::Outage(outage) => outage.into(),
            };
        };
        if calls.is_empty() {
            return Reply::Json(envelope(Value::Null, Err(RpcError::Request)));
        }
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            match self.call(call).await {
                Ending::Answer(value) => answers.push(value),
                Ending::Outage(outage) => return outage.into(),
            }
        }
        Reply::Json(Value::Array(answers))
    }

    async fn call(&self, mut request: Value) -> Ending {
        let id = request.get_mut("id").map(Value::take).unwrap_or_default();
        let Some(method) = request.get("method").and_then(Value::as_str).map(str::to_owned) else {
            return Ending::Answer(envelope(id, Err(RpcError::Request)));
        };
        let params = match request.get_mut("params").map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(params)) => params,
            Some(single) => vec![single],
        };
        let command = method.starts_with("devnet_");
        if !command {
            self.count(&method);
            let (delay, down) = {
                let chain = self.read();
                (chain.faults.delay(&method), chain.faults.node_down)
            };
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            if let Some(outage) = down {
                return Ending::Outage(outage);
            }
        }
        let result = self.dispatch(&method, &Params(params));
        if method == "eth_sendRawTransaction" && result.is_ok() && self.takes_reply_drop() {
            return Ending::Outage(Outage::Reset);
        }
        Ending::Answer(envelope(id, result))
    }

    fn count(&self, method: &str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(method.to_owned()).or_default() += 1;
    }

    fn takes_reply_drop(&self) -> bool {
        crate::faults::take_one(&mut self.write().faults.drop_reply_after_accept)
    }

    fn dispatch(&self, method: &str, params: &Params) -> Result<Value, RpcError> {
        if let Some(message) = self.read().faults.failure(method).filter(|_| !method.starts_with("devnet_")) {
            return Err(RpcError::Server(message.to_owned()));
        }
        match method.split_once('_') {
            Some(("evm" | "anvil" | "hardhat" | "devnet", command)) => control::dispatch(self, method, command, params),
            _ if method.starts_with("eth_send") => send::dispatch(self, method, params),
            _ => eth::dispatch(&self.read(), method, params),
        }
    }
}

impl From<Outage> for Reply {
    fn from(outage: Outage) -> Self {
        match outage {
            Outage::Reset => Self::Dropped,
            Outage::Status500 => Self::Failure,
        }
    }
}

fn envelope(id: Value, result: Result<Value, RpcError>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error.to_json() }),
    }
}
