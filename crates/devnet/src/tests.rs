#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloy::consensus::{SignableTransaction as _, TxEip1559, TxEip4844, TxEip4844Variant, TxEnvelope, TxLegacy};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::network::TxSignerSync as _;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::rpc::{Node, Reply};
use crate::{ACCOUNTS, CommandError, Orphans, Refusal};

const ETHER: u64 = 1_000_000_000_000_000_000;

fn payee() -> Address {
    Address::repeat_byte(0x77)
}

fn chain() -> Chain {
    let mut chain = Chain::new(84532, 1_000_000);
    for account in ACCOUNTS {
        chain.set_balance(account.address, U256::from(ETHER));
    }
    chain
}

fn transfer(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: 84532,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(payee()),
        value: U256::from(1),
        ..TxEip1559::default()
    }
}

fn signed(index: usize, mut transaction: TxEip1559) -> Vec<u8> {
    let signature = ACCOUNTS[index].signer().sign_transaction_sync(&mut transaction).unwrap();
    TxEnvelope::from(transaction.into_signed(signature)).encoded_2718()
}

#[test]
fn the_accounts_addresses_are_their_keys() {
    for account in ACCOUNTS {
        assert_eq!(account.signer().address(), account.address);
    }
}

#[test]
fn what_cannot_be_executed_is_refused_in_geths_words() {
    let mut chain = chain();
    let mut refusal = |encoded: &[u8]| chain.submit(encoded).unwrap_err();
    let change = |change: fn(&mut TxEip1559)| {
        let mut transaction = transfer(0);
        change(&mut transaction);
        signed(0, transaction)
    };
    assert_eq!(refusal(&change(|tx| tx.chain_id = 1)), Refusal::ChainId { have: 1, want: 84532 });
    assert_eq!(refusal(&change(|tx| tx.gas_limit = 20_999)), Refusal::IntrinsicGas { gas: 20_999, least: 21_000 });
    assert_eq!(refusal(&change(|tx| tx.gas_limit = 60_000_001)), Refusal::GasLimit);
    let tip = refusal(&change(|tx| tx.max_priority_fee_per_gas = 10_000_001));
    assert_eq!(tip, Refusal::TipAboveFee { tip: 10_000_001, fee: 10_000_000 });
    let funds = refusal(&change(|tx| tx.value = U256::from(ETHER)));
    let cost = U256::from(ETHER + 210_000_000_000);
    assert_eq!(funds, Refusal::Funds { balance: U256::from(ETHER), cost, overshot: U256::from(210_000_000_000_u64) });
    let calldata = change(|tx| tx.input = Bytes::from_static(&[0, 1]));
    assert_eq!(refusal(&calldata), Refusal::IntrinsicGas { gas: 21_000, least: 21_050 });

    let good = signed(0, transfer(0));
    assert!(matches!(refusal(&good[..good.len() - 1]), Refusal::Malformed(_)));
    assert!(matches!(refusal(&[good.as_slice(), &[0]].concat()), Refusal::Malformed(_)));
    let mut legacy = TxLegacy { gas_limit: 21_000, gas_price: 10_000_000, to: TxKind::Call(payee()), ..TxLegacy::default() };
    let signature = ACCOUNTS[0].signer().sign_transaction_sync(&mut legacy).unwrap();
    assert_eq!(refusal(&TxEnvelope::from(legacy.into_signed(signature)).encoded_2718()), Refusal::Unprotected);
    let blobs = TxEip4844Variant::TxEip4844(TxEip4844 { chain_id: 84532, blob_versioned_hashes: vec![B256::ZERO], ..TxEip4844::default() });
    let signature = ACCOUNTS[0].signer().sign_hash_sync_of(&blobs);
    assert_eq!(refusal(&TxEnvelope::from(blobs.into_signed(signature)).encoded_2718()), Refusal::Type);
    let unsigned = transfer(0).into_signed(Signature::new(U256::ZERO, U256::ZERO, false));
    assert_eq!(refusal(&TxEnvelope::from(unsigned).encoded_2718()), Refusal::Sender);
    assert!(chain.submit(&good).is_ok());
}

/// Signs what alloy's wallet does not sign.
trait SignHash {
    fn sign_hash_sync_of(&self, transaction: &TxEip4844Variant) -> Signature;
}

impl SignHash for alloy::signers::local::PrivateKeySigner {
    fn sign_hash_sync_of(&self, transaction: &TxEip4844Variant) -> Signature {
        alloy::signers::SignerSync::sign_hash_sync(self, &transaction.signature_hash()).unwrap()
    }
}

#[test]
fn all_that_waits_must_be_paid_for() {
    let mut chain = chain();
    chain.automine = false;
    let half = |nonce| signed(0, TxEip1559 { value: U256::from(ETHER / 2), ..transfer(nonce) });
    chain.submit(&half(0)).unwrap();
    assert!(matches!(chain.submit(&half(1)), Err(Refusal::Funds { .. })));
    chain.submit(&signed(0, transfer(1))).unwrap();
}

#[test]
fn a_block_takes_the_highest_tip_first_and_then_who_came_first() {
    let mut chain = chain();
    chain.automine = false;
    let tip = |tip| TxEip1559 { max_priority_fee_per_gas: tip, ..transfer(0) };
    for (index, offered) in [(1, 1_000_000), (2, 3_000_000), (3, 1_000_000), (4, 2_000_000)] {
        chain.submit(&signed(index, tip(offered))).unwrap();
    }
    let senders: Vec<_> = chain.mine().transactions.iter().map(|transaction| transaction.signer()).collect();
    assert_eq!(senders, [2, 4, 1, 3].map(|index| ACCOUNTS[index].address));
}

#[test]
fn a_block_takes_no_more_gas_than_fits() {
    let mut chain = chain();
    chain.automine = false;
    // It uses up all of its gas.
    chain.set_code(payee(), Bytes::from_static(&[0xfe]));
    for index in 0..3 {
        chain.submit(&signed(index, TxEip1559 { gas_limit: 25_000_000, ..transfer(0) })).unwrap();
    }
    assert_eq!(chain.mine().transactions.len(), 2);
    assert_eq!(chain.mine().transactions.len(), 1);
}

#[test]
fn the_base_fee_follows_demand_down_to_its_least() {
    let mut chain = chain();
    assert_eq!(chain.next_base_fee(), 1_000_000);
    chain.automine = false;
    chain.set_code(payee(), Bytes::from_static(&[0xfe]));
    for index in 0..2 {
        chain.submit(&signed(index, TxEip1559 { gas_limit: 30_000_000, ..transfer(0) })).unwrap();
    }
    chain.mine();
    assert_eq!(chain.next_base_fee(), 1_125_000);
    chain.mine();
    chain.mine();
    assert_eq!(chain.next_base_fee(), 1_000_000);
}

#[test]
fn log_indexes_count_through_a_block() {
    let mut chain = chain();
    chain.automine = false;
    // PUSH0 PUSH0 LOG0, twice.
    chain.set_code(payee(), Bytes::from_static(&[0x5f, 0x5f, 0xa0, 0x5f, 0x5f, 0xa0]));
    for index in 0..2 {
        chain.submit(&signed(index, TxEip1559 { gas_limit: 50_000, ..transfer(0) })).unwrap();
    }
    let receipts = &chain.mine().receipts;
    let indexes: Vec<_> = receipts.iter().flat_map(|receipt| receipt.logs()).map(|log| log.log_index.unwrap()).collect();
    assert_eq!(indexes, [0, 1, 2, 3]);
    let used: u64 = receipts.iter().map(|receipt| receipt.gas_used).sum();
    assert_eq!(receipts[1].inner.cumulative_gas_used(), used);
}

#[test]
fn time_never_goes_backwards() {
    let mut chain = chain();
    let start = chain.head().header().timestamp;
    chain.set_next_timestamp(start + 1_000).unwrap();
    assert_eq!(chain.mine().header().timestamp, start + 1_000);
    assert!(chain.mine().header().timestamp >= start + 1_000);
    let refused = chain.set_next_timestamp(start).unwrap_err();
    assert!(matches!(refused, CommandError::TimeBackwards { .. }));
    chain.clock.advance(500);
    assert!(chain.mine().header().timestamp >= start + 1_500);
}

#[test]
fn earlier_blocks_keep_their_state() {
    let mut chain = chain();
    for nonce in 0..3 {
        chain.submit(&signed(0, transfer(nonce))).unwrap();
    }
    let balances: Vec<_> = chain.blocks().iter().map(|block| chain.account(payee(), block).balance.to::<u64>()).collect();
    assert_eq!(balances, [0, 1, 2, 3]);
    chain.reorg(2, Orphans::Dropped).unwrap();
    let balances: Vec<_> = chain.blocks().iter().map(|block| chain.account(payee(), block).balance.to::<u64>()).collect();
    assert_eq!(balances, [0, 1, 1, 1]);
    assert_eq!(chain.next_nonce(ACCOUNTS[0].address), 1);
}

#[test]
fn a_block_removed_and_made_again_has_another_hash() {
    let mut chain = chain();
    let timestamp = chain.head().header().timestamp + 1;
    let snapshot = chain.snapshot();
    chain.set_next_timestamp(timestamp).unwrap();
    let first = chain.mine().hash();
    chain.revert(snapshot).unwrap();
    chain.set_next_timestamp(timestamp).unwrap();
    assert_ne!(chain.mine().hash(), first);
}

#[test]
fn a_transaction_to_revert_costs_and_does_nothing() {
    let mut chain = chain();
    chain.faults.revert_next = 1;
    chain.submit(&signed(0, TxEip1559 { gas_limit: 30_000, ..transfer(0) })).unwrap();
    let receipt = &chain.head().receipts[0];
    assert!(!receipt.status());
    assert_eq!(receipt.to, Some(payee()));
    assert_eq!(chain.next_nonce(ACCOUNTS[0].address), 1);
    assert_eq!(chain.account(payee(), chain.head()).balance, U256::ZERO);
    chain.submit(&signed(0, transfer(1))).unwrap();
    assert!(chain.head().receipts[0].status());
}

#[test]
fn malformed_delegations_are_code_that_fails() {
    let mut chain = chain();
    chain.set_code(payee(), Bytes::from_static(&[0xef, 0x01, 0x00, 0x01]));
    chain.submit(&signed(0, TxEip1559 { gas_limit: 50_000, ..transfer(0) })).unwrap();
    assert!(!chain.head().receipts[0].status());
}

async fn ask(node: &Node, request: Value) -> Value {
    match node.reply(request.to_string().as_bytes()).await {
        Reply::Json(answer) => answer,
        other => panic!("{other:?}"),
    }
}

async fn error_code(node: &Node, method: &str, params: Value) -> Value {
    ask(node, json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })).await["error"]["code"].clone()
}

#[tokio::test]
async fn requests_that_are_none_get_json_rpcs_errors() {
    let node = Node::new(chain(), None);
    let Reply::Json(answer) = node.reply(b"{").await else { panic!("an answer") };
    assert_eq!(answer["error"]["code"], -32700);
    assert_eq!(ask(&node, json!([])).await["error"]["code"], -32600);
    assert_eq!(
        ask(&node, json!({ "id": 7 })).await,
        json!({
            "jsonrpc": "2.0", "id": 7, "error": { "code": -32600, "message": "invalid request" }
        })
    );
    assert_eq!(error_code(&node, "eth_mining", json!([])).await, -32601);
    assert_eq!(error_code(&node, "eth_getBalance", json!([])).await, -32602);
    assert_eq!(error_code(&node, "eth_getBalance", json!(["0x12"])).await, -32602);
    assert_eq!(error_code(&node, "eth_getBalance", json!([payee(), "0x99"])).await, -32000);
    assert_eq!(error_code(&node, "eth_call", json!([{}, "latest", {}, {}])).await, -32602);
    let both = json!({ payee().to_string(): { "state": {}, "stateDiff": {} } });
    assert_eq!(error_code(&node, "eth_call", json!([{ "to": payee() }, "latest", both])).await, -32000);
    assert_eq!(error_code(&node, "eth_getLogs", json!([{ "fromBlock": "0x2", "toBlock": "0x1" }])).await, -32000);
    assert_eq!(error_code(&node, "eth_sendTransaction", json!([{ "from": payee() }])).await, -32000);
    assert_eq!(error_code(&node, "anvil_reorg", json!([1, [["0x", 0]]])).await, -32602);
    assert_eq!(error_code(&node, "devnet_reorg", json!([{ "depth": 0, "orphans": "adopted" }])).await, -32602);
    assert_eq!(error_code(&node, "anvil_mine", json!([10_001])).await, -32602);
    assert_eq!(error_code(&node, "evm_setNextBlockTimestamp", json!([1])).await, -32000);
    assert_eq!(error_code(&node, "devnet_faults", json!([{ "stale": 1 }])).await, -32602);
}

#[tokio::test]
async fn a_batch_is_answered_in_order() {
    let node = Node::new(chain(), None);
    let call = |id: u64, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method });
    let answers = ask(&node, json!([call(2, "eth_chainId"), call(1, "no_such"), call(3, "net_version")])).await;
    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": 2, "result": "0x14a34" }));
    assert_eq!((&answers[1]["id"], &answers[1]["error"]["code"]), (&json!(1), &json!(-32601)));
    assert_eq!(answers[2]["result"], "84532");
    assert_eq!(node.requests().get("eth_chainId"), Some(&1));
}

#[tokio::test]
async fn commands_come_under_several_names() {
    let node = Node::new(chain(), None);
    let run = async |method: &str, params: Value| {
        ask(&node, json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })).await["result"].clone()
    };
    let head = async || run("eth_blockNumber", json!([])).await;
    run("evm_mine", json!([])).await;
    let later = u64::from_str_radix(&run("eth_getBlockByNumber", json!(["latest", false])).await["timestamp"].as_str().unwrap()[2..], 16)
        .unwrap()
        + 50;
    run("evm_mine", json!([{ "timestamp": later }])).await;
    assert_eq!(run("eth_getBlockByNumber", json!(["latest", false])).await["timestamp"], format!("{later:#x}"));
    run("anvil_mine", json!(["0x3", "0x2"])).await;
    assert_eq!(head().await, "0x5");
    let snapshot = run("evm_snapshot", json!([])).await;
    run("anvil_setBalance", json!([payee(), "0x5"])).await;
    run("anvil_setNonce", json!([payee(), 4])).await;
    run("hardhat_setCode", json!([payee(), "0x00"])).await;
    run("anvil_setStorageAt", json!([payee(), "0x0", B256::repeat_byte(1)])).await;
    assert_eq!(run("eth_getBalance", json!([payee(), "latest"])).await, "0x5");
    assert_eq!(run("eth_getTransactionCount", json!([payee(), "pending"])).await, "0x4");
    assert_eq!(run("eth_getCode", json!([payee(), "latest"])).await, "0x00");
    assert_eq!(run("eth_getStorageAt", json!([payee(), "0x0", "latest"])).await, json!(B256::repeat_byte(1)));
    assert_eq!(run("evm_revert", json!([snapshot])).await, true);
    assert_eq!(run("evm_revert", json!([snapshot])).await, false);
    assert_eq!(run("eth_getBalance", json!([payee(), "latest"])).await, "0x0");
    assert_eq!(run("eth_getCode", json!([payee(), "latest"])).await, "0x");

    run("evm_setAutomine", json!([false])).await;
    let sent = run("eth_sendTransaction", json!([{ "from": ACCOUNTS[0].address, "to": payee(), "value": "0x1" }])).await;
    assert_eq!(run("eth_getTransactionReceipt", json!([sent])).await, Value::Null);
    assert_eq!(run("eth_getTransactionByHash", json!([sent])).await["blockHash"], Value::Null);
    assert_eq!(run("eth_getBlockByNumber", json!(["pending", false])).await["transactions"], json!([sent]));
    assert_eq!(run("txpool_status", json!([])).await, json!({ "pending": "0x1", "queued": "0x0" }));
    assert_eq!(run("anvil_dropTransaction", json!([sent])).await, sent);
    assert_eq!(run("eth_getTransactionByHash", json!([sent])).await, Value::Null);
    run("evm_setAutomine", json!([true])).await;
    let sent = run("eth_sendTransaction", json!([{ "from": ACCOUNTS[0].address, "to": payee(), "value": "0x1" }])).await;
    assert_eq!(run("eth_getTransactionReceipt", json!([sent])).await["status"], "0x1");
    assert_eq!(run("eth_getBlockReceipts", json!(["latest"])).await[0]["transactionHash"], sent);
}
