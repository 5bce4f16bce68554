#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::{Arc, Mutex};

use super::*;
use crate::{
    chain::{Broadcast, Chain, EvmChain, Refused, Simulation},
    fake,
};

/// A node of chain 1: answers `eth_chainId` and `eth_blockNumber`, and what else it is told, one JSON value for one method.
struct Node {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Node {
    async fn start(chain_id: u64, head: u64, batches: bool, tells: impl Fn(&str) -> Value + Send + Sync + 'static) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heard);
        let url = fake::serve(move |_, body| {
            let one = |request: &Value| {
                let method = request["method"].as_str().unwrap();
                noted.lock().unwrap().push(method.to_owned());
                let told = match method {
                    "eth_chainId" => json!({ "result": format!("{chain_id:#x}") }),
                    "eth_blockNumber" => json!({ "result": format!("{head:#x}") }),
                    method => tells(method),
                };
                let mut told =
                    if told.is_object() && (told.get("result").is_some() || told.get("error").is_some()) { told } else { return told };
                told["id"] = request["id"].clone();
                told
            };
            match serde_json::from_slice(body).unwrap() {
                Value::Array(_) if !batches => (413, String::new()),
                // The other way round: answers are found by id, not by place.
                Value::Array(requests) => (200, Value::Array(requests.iter().rev().map(one).collect()).to_string()),
                request => (200, one(&request).to_string()),
            }
        });
        Self { url: url.await, heard }
    }

    async fn saying(tells: Value) -> Self {
        Self::start(1, 100, true, move |_| tells.clone()).await
    }

    fn heard(&self, method: &str) -> usize {
        self.heard.lock().unwrap().iter().filter(|heard| *heard == method).count()
    }
}

fn chain(nodes: &[&str]) -> EvmChain {
    let urls = nodes.iter().map(|url| url.parse().unwrap()).collect();
    EvmChain::new(1, urls, crate::facilitator::http_client().unwrap())
}

fn error(code: i64, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

fn call() -> crate::chain::Call {
    crate::chain::Call { from: Default::default(), to: Default::default(), data: Default::default(), gas: 50_000 }
}

#[tokio::test]
async fn a_batch_is_one_request_where_it_may_be() {
    let account = |method: &str| json!({ "result": if method == "eth_getBalance" { "0x7" } else { "0x5" } });
    for batches in [true, false] {
        let node = Node::start(1, 100, batches, account).await;
        let seen = chain(&[&node.url]).account(Default::default()).await.unwrap();
        assert_eq!((seen.mined, seen.pending, seen.balance.to::<u64>()), (5, 5, 7), "batches: {batches}");
    }
}

#[tokio::test]
async fn a_node_in_trouble_is_passed_over() {
    let good = Node::saying(json!({ "result": "0x" })).await;
    for trouble in [error(-32005, "rate limited"), error(-32603, "internal error"), error(-32000, "header not found"), json!("nonsense")] {
        let bad = Node::saying(trouble.clone()).await;
        let told = chain(&[&bad.url, &good.url]).simulate(&call()).await;
        assert_eq!(told, Ok(Simulation::Succeeds { gas: 50_000 }), "{trouble}");
        assert!(chain(&[&bad.url]).simulate(&call()).await.is_err(), "{trouble}");
    }
}

#[tokio::test]
async fn a_revert_is_an_answer() {
    let good = Node::saying(json!({ "result": "0x" })).await;
    for revert in [
        error(3, "execution reverted: FiatTokenV2: invalid signature"),
        error(-32000, "out of gas"),
        error(-32603, "VM execution error: revert"),
    ] {
        let node = Node::saying(revert.clone()).await;
        let told = chain(&[&node.url, &good.url]).simulate(&call()).await.unwrap();
        assert!(matches!(told, Simulation::Reverts { .. }), "{revert}");
    }
    assert_eq!(good.heard("eth_call"), 0);
}

#[tokio::test]
async fn an_answer_to_another_question_is_none() {
    let wrong_id = Node::start(1, 100, true, |_| json!({ "id": 999_999, "jsonrpc": "2.0" })).await;
    assert!(chain(&[&wrong_id.url]).simulate(&call()).await.is_err());
    let receipt = json!({ "result": {
        "transactionHash": alloy_primitives::B256::repeat_byte(2), "blockNumber": "0x1", "blockHash": alloy_primitives::B256::ZERO,
        "status": "0x1", "logs": [],
    } });
    let node = Node::saying(receipt).await;
    let asked = [alloy_primitives::B256::repeat_byte(1), alloy_primitives::B256::repeat_byte(2)];
    let told = chain(&[&node.url]).receipts(&asked).await.unwrap();
    assert!(told[0].is_none() && told[1].is_some());
    let unreadable = Node::saying(json!({ "result": { "status": "0x1" } })).await;
    assert_eq!(chain(&[&unreadable.url]).receipts(&asked).await.unwrap(), [None, None]);
}

#[tokio::test]
async fn an_endpoint_of_another_chain_is_asked_for_nothing() {
    let other = Node::start(5, 100, true, |_| json!({ "result": "0x" })).await;
    let good = Node::saying(json!({ "result": "0x" })).await;
    assert!(chain(&[&other.url]).simulate(&call()).await.is_err());
    assert!(chain(&[&other.url, &good.url]).simulate(&call()).await.is_ok());
    assert_eq!(other.heard("eth_call"), 0);
    assert_eq!(chain(&[&other.url]).probe().await, Ok(5));
    assert_eq!(chain(&[&other.url, &good.url]).probe().await, Ok(1));
}

#[tokio::test]
async fn an_endpoint_far_behind_is_asked_last() {
    let behind = Node::start(1, 50, true, |_| json!({ "result": "0x" })).await;
    let good = Node::saying(json!({ "result": "0x" })).await;
    let both = chain(&[&behind.url, &good.url]);
    assert_eq!(both.probe().await, Ok(1));
    assert!(both.simulate(&call()).await.is_ok());
    assert_eq!((behind.heard("eth_call"), good.heard("eth_call")), (0, 1));
}

#[tokio::test]
async fn a_refusal_after_a_maybe_is_a_maybe() {
    let broken = Node::saying(json!("nonsense")).await;
    let low = Node::saying(error(-32000, "nonce too low")).await;
    let raw = Default::default();
    assert!(matches!(chain(&[&low.url]).broadcast(&raw).await, Broadcast::Refused(Refused::NonceUsed { .. })));
    assert!(matches!(chain(&[&broken.url, &low.url]).broadcast(&raw).await, Broadcast::Maybe { .. }));
    let known = Node::saying(error(-32000, "already known")).await;
    assert_eq!(chain(&[&broken.url, &known.url]).broadcast(&raw).await, Broadcast::Taken);
    // Nobody was reached: nothing was sent.
    assert!(matches!(chain(&["http://127.0.0.1:1/"]).broadcast(&raw).await, Broadcast::Refused(Refused::Other { .. })));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless = Node::saying(json!({ "result": format!("0x{}", "00".repeat(MAX_ANSWER)) })).await;
    assert!(chain(&[&endless.url]).simulate(&call()).await.is_err());
}
