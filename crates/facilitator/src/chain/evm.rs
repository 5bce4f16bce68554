//! [`Chain`] over an Ethereum node's JSON-RPC.

use alloy_primitives::{Address, B256, Bytes, U64, U128, U256, hex};
use alloy_sol_types::{SolCall, SolValue};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Account, BlockTag, Broadcast, Call, Chain, ChainError, FactsAt, Fees, Head, Log, PayerFacts, Receipt, Refused, Simulation, TokenState,
    abi::{self, DOMAIN_SEPARATORCall, decimalsCall},
    broadcast::classify,
    rpc::{Rpc, RpcError, Told, parse, reverted},
};

/// Blocks that one `eth_getLogs` asks for.
const LOG_RANGE: u64 = 5_000;
/// Priority fee in wei where the node names none: 0.01 gwei.
const DEFAULT_PRIORITY: u128 = 10_000_000;

/// An EVM chain behind one or several endpoints.
pub struct EvmChain {
    rpc: Rpc,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockJson {
    number: U64,
    hash: B256,
    timestamp: U64,
    base_fee_per_gas: Option<U128>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReceiptJson {
    transaction_hash: B256,
    block_number: U64,
    block_hash: B256,
    status: U64,
    logs: Vec<LogJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogJson {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    log_index: U64,
    transaction_hash: B256,
}

impl From<ReceiptJson> for Receipt {
    fn from(json: ReceiptJson) -> Self {
        Self {
            transaction: json.transaction_hash,
            block_number: json.block_number.to(),
            block_hash: json.block_hash,
            succeeded: json.status == U64::from(1),
            logs: json.logs.into_iter().map(Log::from).collect(),
        }
    }
}

impl From<LogJson> for Log {
    fn from(json: LogJson) -> Self {
        Self { address: json.address, topics: json.topics, data: json.data, index: json.log_index.to(), transaction: json.transaction_hash }
    }
}

fn nonsense(what: &str) -> ChainError {
    ChainError(format!("unexpected answer: {what}"))
}

/// The next answer of a batch, as a value; `null` is what `T` makes of it.
fn next<T: serde::de::DeserializeOwned>(told: &mut impl Iterator<Item = Told>) -> Result<T, ChainError> {
    let raw: Box<RawValue> = told.next().ok_or_else(|| nonsense("too short"))?.map_err(|node| ChainError::from(RpcError::Node(node)))?;
    Ok(parse(&raw)?)
}

fn tag(tag: BlockTag) -> Value {
    match tag {
        BlockTag::Latest => json!("latest"),
        BlockTag::Safe => json!("safe"),
        BlockTag::Finalized => json!("finalized"),
        BlockTag::Number(number) => json!(U64::from(number)),
    }
}

fn call_json(call: &Call) -> Value {
    json!({ "from": call.from, "to": call.to, "data": call.data, "gas": U64::from(call.gas) })
}

impl EvmChain {
    /// `client` makes the requests; `chain_id` is what every endpoint must be on.
    pub fn new(chain_id: u64, rpc: Vec<reqwest::Url>, client: reqwest::Client) -> Self {
        Self { rpc: Rpc::new(chain_id, rpc, client) }
    }

    /// A getter of a contract: `None` where it reverts or answers nothing.
    async fn read(&self, to: Address, data: Vec<u8>) -> Result<Option<Bytes>, ChainError> {
        let call = json!({ "to": to, "data": hex::encode_prefixed(data), "gas": "0x30d40" });
        match self.rpc.call::<Bytes>("eth_call", json!([call, "latest"])).await {
            Ok(answer) => Ok(Some(answer).filter(|bytes| !bytes.is_empty())),
            Err(RpcError::Node(node)) if reverted(&node).is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Chain for EvmChain {
    async fn probe(&self) -> Result<u64, ChainError> {
        self.rpc.probe().await
    }

    async fn height(&self) -> Result<u64, ChainError> {
        Ok(self.rpc.call::<U64>("eth_blockNumber", json!([])).await?.to())
    }

    async fn head(&self, at: BlockTag) -> Result<Head, ChainError> {
        let block: Option<BlockJson> = self.rpc.call("eth_getBlockByNumber", json!([tag(at), false])).await?;
        let block = block.ok_or_else(|| nonsense("no such block"))?;
        Ok(Head { number: block.number.to(), hash: block.hash, timestamp: block.timestamp.to() })
    }

    async fn facts(&self, token: Address, asked: &[(Address, B256)]) -> Result<FactsAt, ChainError> {
        // The block number is the node's: inside the call it is the parent chain's on some rollups.
        let call = json!({ "data": abi::facts_call(token, asked) });
        let asks = [("eth_blockNumber", json!([])), ("eth_call", json!([call, "latest"]))];
        let mut told = self.rpc.batch(&asks).await?.into_iter();
        let block: U64 = next(&mut told)?;
        let answer: Bytes = next(&mut told)?;
        let (_, timestamp, paused, rows) =
            <(U256, U256, bool, Vec<abi::Row>)>::abi_decode_params(&answer).map_err(|error| nonsense(&error.to_string()))?;
        if rows.len() != asked.len() {
            return Err(nonsense("as many facts as were asked for"));
        }
        let rows = rows.into_iter().map(|row| PayerFacts {
            has_code: !row.codeSize.is_zero(),
            balance: row.balance,
            nonce_used: row.nonceUsed,
            blacklisted: row.blacklisted,
        });
        Ok(FactsAt { block: block.to(), timestamp: timestamp.saturating_to(), paused, rows: rows.collect() })
    }

    async fn simulate(&self, call: &Call) -> Result<Simulation, ChainError> {
        match self.rpc.call::<serde::de::IgnoredAny>("eth_call", json!([call_json(call), "latest"])).await {
            Ok(_) => Ok(Simulation::Succeeds { gas: call.gas }),
            Err(RpcError::Node(node)) => reverted(&node).map(|why| Simulation::Reverts { why }).ok_or_else(|| RpcError::Node(node).into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn estimate(&self, call: &Call) -> Result<Simulation, ChainError> {
        match self.rpc.call::<U64>("eth_estimateGas", json!([call_json(call)])).await {
            Ok(gas) => Ok(Simulation::Succeeds { gas: gas.to() }),
            Err(RpcError::Node(node)) => reverted(&node).map(|why| Simulation::Reverts { why }).ok_or_else(|| RpcError::Node(node).into()),
            Err(error) => Err(error.into()),
        }
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        let asks = [("eth_getBlockByNumber", json!(["latest", false])), ("eth_maxPriorityFeePerGas", json!([]))];
        let mut told = self.rpc.batch(&asks).await?.into_iter();
        let block: Option<BlockJson> = next(&mut told)?;
        let base = block.and_then(|block| block.base_fee_per_gas).ok_or_else(|| nonsense("no base fee"))?;
        let priority = next::<U128>(&mut told).map_or(DEFAULT_PRIORITY, |priority| priority.to());
        Ok(Fees { base: base.to(), priority })
    }

    async fn account(&self, address: Address) -> Result<Account, ChainError> {
        let asks = [
            ("eth_getTransactionCount", json!([address, "latest"])),
            ("eth_getTransactionCount", json!([address, "pending"])),
            ("eth_getBalance", json!([address, "latest"])),
        ];
        let mut told = self.rpc.batch(&asks).await?.into_iter();
        let (mined, pending): (U64, U64) = (next(&mut told)?, next(&mut told)?);
        Ok(Account { mined: mined.to(), pending: pending.to(), balance: next(&mut told)? })
    }

    async fn broadcast(&self, raw: &Bytes) -> Broadcast {
        let (mut maybe, mut unsent) = (None, String::from("no endpoint is usable"));
        let decided = self.rpc.each("eth_sendRawTransaction", json!([raw]), |told| match told {
            Ok(_) => Some(Broadcast::Taken),
            Err(RpcError::Node(node)) => match classify(&node.message) {
                Broadcast::Maybe { why } => {
                    maybe = Some(why);
                    None
                }
                // After a maybe, a refusal says nothing: the first node may have taken it.
                Broadcast::Refused(_) if maybe.is_some() => None,
                decided => Some(decided),
            },
            Err(RpcError::Transport(why)) => {
                maybe = Some(why);
                None
            }
            Err(RpcError::Unsent(why) | RpcError::NoBatch(why)) => {
                unsent = why;
                None
            }
        });
        match (decided.await, maybe) {
            (Some(decided), _) => decided,
            (None, Some(why)) => Broadcast::Maybe { why },
            (None, None) => Broadcast::Refused(Refused::Other { why: unsent }),
        }
    }

    async fn receipts(&self, transactions: &[B256]) -> Result<Vec<Option<Receipt>>, ChainError> {
        if transactions.is_empty() {
            return Ok(Vec::new());
        }
        let asks: Vec<_> = transactions.iter().map(|hash| ("eth_getTransactionReceipt", json!([hash]))).collect();
        let told = self.rpc.batch(&asks).await?;
        // What cannot be read, or is about another transaction, says nothing.
        let read = |told: Told| told.ok().and_then(|raw| parse::<Option<ReceiptJson>>(&raw).ok().flatten()).map(Receipt::from);
        let receipts = told.into_iter().map(read).zip(transactions);
        Ok(receipts.map(|(receipt, hash)| receipt.filter(|receipt| receipt.transaction == *hash)).collect())
    }

    async fn knows(&self, transaction: B256) -> Result<bool, ChainError> {
        let found: Option<Value> = self.rpc.call("eth_getTransactionByHash", json!([transaction])).await?;
        Ok(found.is_some())
    }

    async fn transactions(&self, token: Address, topics: [B256; 3], since: u64) -> Result<Vec<B256>, ChainError> {
        let head: U64 = self.rpc.call("eth_blockNumber", json!([])).await?;
        let (mut from, head) = (since, head.to::<u64>());
        let mut found = Vec::new();
        while from <= head {
            let to = from.saturating_add(LOG_RANGE - 1).min(head);
            let filter = json!({ "address": token, "topics": topics, "fromBlock": U64::from(from), "toBlock": U64::from(to) });
            let logs: Vec<LogJson> = self.rpc.call("eth_getLogs", json!([filter])).await?;
            found.extend(logs.into_iter().map(|log| log.transaction_hash));
            from = to.saturating_add(1);
        }
        Ok(found)
    }

    async fn token(&self, address: Address) -> Result<TokenState, ChainError> {
        let code: Bytes = self.rpc.call("eth_getCode", json!([address, "latest"])).await?;
        let separator = self.read(address, DOMAIN_SEPARATORCall {}.abi_encode()).await?;
        let decimals = self.read(address, decimalsCall {}.abi_encode()).await?;
        Ok(TokenState {
            has_code: !code.is_empty(),
            domain_separator: separator.filter(|word| word.len() == 32).map(|word| B256::from_slice(&word)),
            decimals: decimals.and_then(|word| U256::try_from_be_slice(&word)).and_then(|number| u8::try_from(number).ok()),
        })
    }
}
