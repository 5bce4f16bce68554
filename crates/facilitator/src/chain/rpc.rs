//! JSON-RPC over HTTP to several endpoints of one chain.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use super::ChainError;

/// The most that is read of one answer, in bytes.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(6);
/// How long a look at an endpoint's health may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);
/// Requests under way at once to an endpoint that takes no batches.
const AT_ONCE: usize = 8;
/// An endpoint that is more blocks behind the best one is left out.
const MAX_LAG: u64 = 8;

/// A node's own error (JSON-RPC 2.0 §5.1): it was reached, and it said no.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeError {
    pub code: i64,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub data: Option<Value>,
}

/// Why a call has no result.
#[derive(Clone, Debug)]
pub enum RpcError {
    /// Late, cut off, or nonsense: the request may have been carried out.
    Transport(String),
    /// Never left this process.
    Unsent(String),
    /// Turned away as a whole, unread.
    NoBatch(String),
    Node(NodeError),
}

impl From<RpcError> for ChainError {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::Transport(why) | RpcError::Unsent(why) | RpcError::NoBatch(why) => Self(why),
            RpcError::Node(node) => Self(format!("node error {}: {}", node.code, node.message)),
        }
    }
}

/// What became of an endpoint when it was last looked at.
const UNSEEN: u64 = 0;
const GOOD: u64 = 1;
const WRONG_CHAIN: u64 = 2;
const LAGGING: u64 = 3;

struct Endpoint {
    url: reqwest::Url,
    health: AtomicU64,
    /// It takes no batches (JSON-RPC 2.0 §6), or none of that size.
    one_by_one: AtomicBool,
}

/// Several endpoints of one chain. Reads move on to the next one when one fails.
pub struct Rpc {
    chain_id: u64,
    endpoints: Vec<Endpoint>,
    preferred: AtomicUsize,
    client: reqwest::Client,
    next_id: AtomicU64,
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: &'a Value,
}

#[derive(Deserialize)]
struct Answer<'a> {
    id: Option<u64>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<NodeError>,
}

/// One call of a batch.
pub type Ask = (&'static str, Value);
/// One answer of a batch: JSON text, `null` included.
pub type Told = Result<Box<RawValue>, NodeError>;

impl Rpc {
    pub fn new(chain_id: u64, urls: Vec<reqwest::Url>, client: reqwest::Client) -> Self {
        let endpoints =
            urls.into_iter().map(|url| Endpoint { url, health: AtomicU64::new(UNSEEN), one_by_one: AtomicBool::new(false) }).collect();
        Self { chain_id, endpoints, preferred: AtomicUsize::new(0), client, next_id: AtomicU64::new(1) }
    }

    /// One read, on the first endpoint that answers.
    pub async fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, RpcError> {
        let told = self.batch(&[(method, params)]).await?.pop().ok_or_else(|| RpcError::Transport("empty batch".into()))?;
        parse(&told.map_err(RpcError::Node)?)
    }

    /// Several reads in one HTTP request, all answered by the same endpoint.
    pub async fn batch(&self, asks: &[Ask]) -> Result<Vec<Told>, RpcError> {
        let mut last = RpcError::Unsent("no endpoint is usable".into());
        for (index, endpoint) in self.in_order() {
            match self.batch_at(endpoint, asks, DEADLINE).await {
                Ok(told) if told.iter().any(|one| one.as_ref().is_err_and(is_trouble)) && self.endpoints.len() > 1 => {
                    let trouble = told.into_iter().find_map(|one| one.err().filter(is_trouble));
                    last = trouble.map_or(last, RpcError::Node);
                }
                Ok(told) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(told);
                }
                Err(error) => {
                    tracing::debug!(host = endpoint.url.host_str(), ?error, "endpoint failed");
                    // It may come back as another node: its chain id is read again.
                    endpoint.health.store(UNSEEN, Ordering::Relaxed);
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// The same request at every usable endpoint in turn until `done` is content; for what may be repeated but must be read by the caller.
    pub async fn each<T>(
        &self,
        method: &'static str,
        params: Value,
        mut done: impl FnMut(Result<Box<RawValue>, RpcError>) -> Option<T>,
    ) -> Option<T> {
        for (_, endpoint) in self.in_order() {
            let told = match self.batch_at(endpoint, &[(method, params.clone())], DEADLINE).await {
                Ok(mut told) => match told.pop() {
                    Some(Ok(result)) => Ok(result),
                    Some(Err(node)) => Err(RpcError::Node(node)),
                    None => Err(RpcError::Transport("empty answer".into())),
                },
                Err(error) => Err(error),
            };
            if let Some(content) = done(told) {
                return Some(content);
            }
        }
        None
    }

    /// Reads chain id and head of every endpoint; leaves out those on another chain or far behind.
    pub async fn probe(&self) -> Result<u64, ChainError> {
        let seen: Vec<Result<(u64, u64), String>> = join_all(self.endpoints.iter().map(|endpoint| self.look(endpoint))).await;
        let on_chain = |look: &Result<(u64, u64), String>| matches!(look, Ok((id, _)) if *id == self.chain_id);
        let best = seen.iter().filter(|look| on_chain(look)).filter_map(|look| look.as_ref().ok()).map(|(_, head)| *head).max();
        for (endpoint, look) in self.endpoints.iter().zip(&seen) {
            let health = match look {
                Ok((id, _)) if *id != self.chain_id => WRONG_CHAIN,
                Ok((_, head)) if head.saturating_add(MAX_LAG) < best.unwrap_or(0) => LAGGING,
                Ok(_) => GOOD,
                Err(_) => UNSEEN,
            };
            endpoint.health.store(health, Ordering::Relaxed);
        }
        if best.is_some() {
            return Ok(self.chain_id);
        }
        match seen.into_iter().find_map(Result::ok) {
            Some((other, _)) => Ok(other),
            None => Err(ChainError("no RPC endpoint answers".into())),
        }
    }

    /// Chain id and height of one endpoint.
    async fn look(&self, endpoint: &Endpoint) -> Result<(u64, u64), String> {
        let asks = [("eth_chainId", json!([])), ("eth_blockNumber", json!([]))];
        let mut told = self.send(endpoint, &asks, PROBE_DEADLINE).await.map_err(|error| ChainError::from(error).0)?.into_iter();
        let mut number = || -> Option<u64> { parse::<alloy_primitives::U64>(&told.next()?.ok()?).ok().map(|n| n.to::<u64>()) };
        match (number(), number()) {
            (Some(id), Some(head)) => Ok((id, head)),
            _ => Err("chain id or block number is missing".into()),
        }
    }

    /// The preferred endpoint first; those known to be wrong not at all; lagging ones last.
    fn in_order(&self) -> impl Iterator<Item = (usize, &Endpoint)> {
        let first = self.preferred.load(Ordering::Relaxed);
        let health = |endpoint: &Endpoint| endpoint.health.load(Ordering::Relaxed);
        let mut order: Vec<_> = self.endpoints.iter().enumerate().filter(|(_, e)| health(e) != WRONG_CHAIN).collect();
        order.sort_by_key(|(index, e)| (health(e) == LAGGING, *index != first, *index));
        order.into_iter()
    }

    /// Sends to one endpoint, whose chain id is read first where that has not been done.
    async fn batch_at(&self, endpoint: &Endpoint, asks: &[Ask], deadline: Duration) -> Result<Vec<Told>, RpcError> {
        if endpoint.health.load(Ordering::Relaxed) == UNSEEN {
            let (id, _) = self.look(endpoint).await.map_err(RpcError::Unsent)?;
            if id != self.chain_id {
                endpoint.health.store(WRONG_CHAIN, Ordering::Relaxed);
                return Err(RpcError::Unsent(format!("endpoint is on chain {id}, not {}", self.chain_id)));
            }
            endpoint.health.store(GOOD, Ordering::Relaxed);
        }
        self.send(endpoint, asks, deadline).await
    }

    /// As one HTTP request where the endpoint takes batches, else as many.
    async fn send(&self, endpoint: &Endpoint, asks: &[Ask], deadline: Duration) -> Result<Vec<Told>, RpcError> {
        if asks.len() == 1 || !endpoint.one_by_one.load(Ordering::Relaxed) {
            match self.send_together(endpoint, asks, deadline).await {
                Err(RpcError::NoBatch(_)) if asks.len() > 1 => endpoint.one_by_one.store(true, Ordering::Relaxed),
                done => return done,
            }
        }
        let mut told = Vec::with_capacity(asks.len());
        for some in asks.chunks(AT_ONCE) {
            let mut exchanges = Vec::with_capacity(some.len());
            for ask in some {
                exchanges.push(self.send_together(endpoint, std::slice::from_ref(ask), deadline));
            }
            for one in join_all(exchanges).await {
                told.extend(one?);
            }
        }
        Ok(told)
    }

    async fn send_together(&self, endpoint: &Endpoint, asks: &[Ask], deadline: Duration) -> Result<Vec<Told>, RpcError> {
        let first = self.next_id.fetch_add(asks.len() as u64, Ordering::Relaxed);
        let requests: Vec<_> =
            asks.iter().zip(first..).map(|((method, params), id)| Request { jsonrpc: "2.0", id, method, params }).collect();
        let body = match requests.as_slice() {
            [one] => serde_json::to_vec(one),
            many => serde_json::to_vec(many),
        };
        let body = body.map_err(|error| RpcError::Transport(error.to_string()))?;
        let exchange = exchange(&self.client, endpoint.url.clone(), body);
        let bytes = tokio::time::timeout(deadline, exchange).await.map_err(|_| RpcError::Transport("no answer in time".into()))??;
        read(&bytes, first, asks.len())
    }
}

async fn exchange(client: &reqwest::Client, url: reqwest::Url, body: Vec<u8>) -> Result<Vec<u8>, RpcError> {
    let transport = |error: reqwest::Error| {
        let unsent = error.is_connect();
        let why = describe(&error.without_url());
        if unsent { RpcError::Unsent(why) } else { RpcError::Transport(why) }
    };
    let request = client.post(url).header("content-type", "application/json").body(body);
    let mut response = request.send().await.map_err(transport)?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(RpcError::Transport(format!("answer larger than {MAX_ANSWER} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    // Some nodes send JSON-RPC errors with an HTTP error: those that parse are the node's word.
    if status.is_success() || bytes.first() == Some(&b'{') && status.is_client_error() && status.as_u16() != 429 {
        return Ok(bytes);
    }
    match status.as_u16() {
        400 | 405 | 413 | 414 | 422 => Err(RpcError::NoBatch(format!("HTTP {status}"))),
        _ => Err(RpcError::Transport(format!("HTTP {status}"))),
    }
}

/// The whole chain of causes: the outermost alone says nothing.
pub fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Sorts answers by id; an id that was not asked for, or is missing, spoils the whole.
fn read(bytes: &[u8], first: u64, count: usize) -> Result<Vec<Told>, RpcError> {
    let nonsense = |why: &str| RpcError::Transport(format!("not a JSON-RPC answer: {why}"));
    let answers: Vec<Answer<'_>> = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => serde_json::from_slice(bytes),
        _ => serde_json::from_slice(bytes).map(|one| vec![one]),
    }
    .map_err(|error| nonsense(&error.to_string()))?;
    let mut told: Vec<Option<Told>> = (0..count).map(|_| None).collect();
    for answer in answers {
        // A refusal of the request as a whole comes without an id.
        if let (None, Some(error)) = (answer.id, &answer.error) {
            let refused = error.clone();
            return Err(if count > 1 { RpcError::NoBatch(refused.message) } else { RpcError::Node(refused) });
        }
        let slot = answer.id.and_then(|id| id.checked_sub(first)).and_then(|at| usize::try_from(at).ok()).and_then(|at| told.get_mut(at));
        let slot = slot.ok_or_else(|| nonsense("unknown id"))?;
        *slot = Some(match (answer.error, answer.result) {
            (Some(error), _) => Err(error),
            (None, Some(result)) => Ok(result.to_owned()),
            (None, None) => Ok(RawValue::NULL.to_owned()),
        });
    }
    told.into_iter().map(|one| one.ok_or_else(|| nonsense("an answer is missing"))).collect()
}

pub fn parse<T: DeserializeOwned>(raw: &RawValue) -> Result<T, RpcError> {
    serde_json::from_str(raw.get()).map_err(|error| RpcError::Transport(format!("unexpected result: {error}")))
}

/// The node could not serve the request: another one may. A revert is no trouble, it is an answer.
fn is_trouble(error: &NodeError) -> bool {
    if reverted(error).is_some() {
        return false;
    }
    let text = error.message.to_lowercase();
    let parts = [
        "limit",
        "rate",
        "too many",
        "missing trie",
        "header not found",
        "unknown block",
        "timeout",
        "timed out",
        "internal",
        "unavailable",
        "busy",
    ];
    matches!(error.code, -32603 | -32601 | -32005 | -32002 | -32001 | 429) || parts.iter().any(|part| text.contains(part))
}

/// What the contract said, where the error is the contract's and not the node's.
pub fn reverted(error: &NodeError) -> Option<String> {
    let text = error.message.to_lowercase();
    let parts = [
        "revert",
        "out of gas",
        "gas required exceeds allowance",
        "invalid opcode",
        "invalidfeopcode",
        "opcodenotfound",
        "stack underflow",
        "stack overflow",
        "stacklimitreached",
        "bad instruction",
        "invalid jump",
        "invalidjump",
        "outofgas",
        "vm execution error",
        "always failing transaction",
        "bad jump",
        "max code size",
        "gas uint64 overflow",
    ];
    (error.code == 3 || parts.iter().any(|part| text.contains(part))).then(|| error.message.clone())
}

#[cfg(test)]
#[path = "rpc_tests.rs"]
mod tests;
