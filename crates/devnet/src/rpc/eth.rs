//! The methods that only read.

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::rpc::types::state::StateOverride;
use alloy::rpc::types::{FeeHistory, Filter, FilterBlockOption, Log, Transaction, TransactionRequest};
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use revm::context::BlockEnv;
use revm::context::result::ExecutionResult;
use serde_json::{Value, json};

use super::{Params, RpcError, answer};
use crate::accounts::ACCOUNTS;
use crate::block::{Block, environment};
use crate::chain::{Chain, SUGGESTED_TIP};
use crate::evm::{self, CALL_GAS_CAP};

/// The most blocks that `eth_feeHistory` looks back.
const FEE_HISTORY_CAP: u64 = 1024;

pub(super) fn dispatch(chain: &Chain, method: &str, params: &Params) -> Result<Value, RpcError> {
    match method {
        "eth_chainId" => answer(U64::from(told_chain_id(chain))),
        "net_version" => answer(told_chain_id(chain).to_string()),
        "net_listening" => answer(true),
        "web3_clientVersion" => answer(concat!("tollway-devnet/", env!("CARGO_PKG_VERSION"))),
        "eth_syncing" => answer(false),
        "eth_accounts" => answer(ACCOUNTS.map(|account| account.address)),
        "eth_blockNumber" => answer(U64::from(chain.head().number())),
        "eth_getBlockByNumber" => block_by_number(chain, params),
        "eth_getBlockByHash" => {
            let block = chain.block_by_hash(params.get(0)?);
            answer(block.map(|block| full(params).map(|full| block.to_rpc(full))).transpose()?)
        }
        "eth_getBlockReceipts" => answer(find(chain, params.get(0)?).ok().map(|block| &block.receipts)),
        "eth_getBalance" => answer(chain.account(params.get(0)?, block_at(chain, params, 1)?).balance),
        "eth_getCode" => answer(chain.code(params.get(0)?, block_at(chain, params, 1)?).original_bytes()),
        "eth_getStorageAt" => {
            let word = chain.slot(params.get(0)?, params.get(1)?, block_at(chain, params, 2)?);
            answer(B256::from(word))
        }
        "eth_getTransactionCount" => transaction_count(chain, params),
        "eth_getTransactionByHash" => answer(transaction(chain, params.get(0)?)),
        "eth_getTransactionReceipt" => {
            let mined = chain.mined(&params.get(0)?);
            answer(mined.and_then(|(block, index)| block.receipts.get(index)))
        }
        "eth_call" => call(chain, params),
        "eth_estimateGas" => answer(U64::from(estimate_gas(chain, &params.get(0)?)?)),
        "eth_gasPrice" => answer(U128::from(u128::from(chain.next_base_fee()) + SUGGESTED_TIP)),
        "eth_maxPriorityFeePerGas" => answer(U128::from(SUGGESTED_TIP)),
        "eth_feeHistory" => fee_history(chain, params),
        "eth_getLogs" => logs(chain, &params.get(0)?),
        "txpool_status" => {
            let (pending, queued) = chain.pool_status();
            Ok(json!({ "pending": U64::from(pending), "queued": U64::from(queued) }))
        }
        _ => Err(RpcError::Method(method.to_owned())),
    }
}

fn told_chain_id(chain: &Chain) -> u64 {
    chain.faults.wrong_chain_id.unwrap_or(chain.chain_id)
}

fn full(params: &Params) -> Result<bool, RpcError> {
    Ok(params.optional(1)?.unwrap_or(false))
}

fn find(chain: &Chain, id: BlockId) -> Result<&Block, RpcError> {
    match id {
        BlockId::Hash(hash) => chain.block_by_hash(hash.block_hash),
        BlockId::Number(number) => chain.block(number),
    }
    .ok_or(RpcError::Block)
}

fn block_at<'a>(chain: &'a Chain, params: &Params, index: usize) -> Result<&'a Block, RpcError> {
    find(chain, params.optional(index)?.unwrap_or_default())
}

fn block_by_number(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let number: BlockNumberOrTag = params.get(0)?;
    if number.is_pending() {
        return pending_block(chain);
    }
    answer(chain.block(number).map(|block| full(params).map(|full| block.to_rpc(full))).transpose()?)
}

/// The block that would come now, without what only a sealed one has.
fn pending_block(chain: &Chain) -> Result<Value, RpcError> {
    let header = chain.next_header(chain.clock.now(chain.head().header().timestamp));
    let mut block = answer(Block::seal(header, Vec::new(), chain.head().revision).to_rpc(false))?;
    block["hash"] = Value::Null;
    block["nonce"] = Value::Null;
    block["transactions"] = answer(chain.pool().hashes())?;
    Ok(block)
}

fn transaction_count(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let address: Address = params.get(0)?;
    if params.optional::<BlockId>(1)?.unwrap_or_default().is_pending() {
        return answer(U64::from(chain.pending_nonce(address)));
    }
    answer(U64::from(chain.account(address, block_at(chain, params, 1)?).nonce))
}

fn transaction(chain: &Chain, hash: B256) -> Option<Transaction> {
    if let Some((block, index)) = chain.mined(&hash) {
        return block.transaction(index);
    }
    let waiting = chain.pool().get(&hash)?.clone();
    Some(Transaction::from_transaction(waiting, Default::default()))
}

/// Where a call takes place. At the head it sees the present time, as it would on a chain that makes blocks all the time;
/// at any other block that block's.
fn surroundings(chain: &Chain, id: BlockId) -> Result<(&Block, BlockEnv), RpcError> {
    let block = find(chain, id)?;
    let mut environment = environment(block.header());
    if chain.faults.stale_head == 0 && (id.is_latest() || id.is_pending()) {
        environment.timestamp = U256::from(chain.clock.now(block.header().timestamp));
    }
    if id.is_pending() {
        environment.number += U256::ONE;
    }
    Ok((block, environment))
}

fn call(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    if params.optional::<Value>(3)?.is_some() {
        return Err(RpcError::Argument { index: 3, reason: "block overrides are not supported".into() });
    }
    let request: TransactionRequest = params.get(0)?;
    let overrides: Option<StateOverride> = params.optional(2)?;
    answer(execute(chain, &request, params.optional(1)?.unwrap_or_default(), overrides)?)
}

/// Executes a call at a block and returns what it returns.
pub(crate) fn execute(
    chain: &Chain,
    request: &TransactionRequest,
    at: BlockId,
    overrides: Option<StateOverride>,
) -> Result<Bytes, RpcError> {
    let (block, environment) = surroundings(chain, at)?;
    let transaction = evm::call_transaction(request, CALL_GAS_CAP);
    match evm::call(chain.view(block), chain.chain_id, environment, transaction, overrides)? {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        failure => Err(RpcError::failed(failure)),
    }
}

pub(super) fn estimate_gas(chain: &Chain, request: &TransactionRequest) -> Result<u64, RpcError> {
    let (block, environment) = surroundings(chain, BlockId::pending())?;
    let transaction = evm::call_transaction(request, affordable_gas(chain, block, request)?);
    evm::estimate(chain.view(block), chain.chain_id, &environment, &transaction)?.map_err(RpcError::failed)
}

/// The gas that the sender can pay for, where the request names a price.
fn affordable_gas(chain: &Chain, block: &Block, request: &TransactionRequest) -> Result<u64, RpcError> {
    let price = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
    if price == 0 {
        return Ok(CALL_GAS_CAP);
    }
    let balance = chain.account(request.from.unwrap_or_default(), block).balance;
    let Some(left) = balance.checked_sub(request.value.unwrap_or_default()) else {
        return Err(RpcError::Server("insufficient funds for transfer".into()));
    };
    let gas = (left / U256::from(price)).saturating_to::<u64>().min(CALL_GAS_CAP);
    if gas < 21_000 {
        return Err(RpcError::Server(format!("gas required exceeds allowance ({gas})")));
    }
    Ok(gas)
}

fn fee_history(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    let count = params.get::<U64>(0)?.to::<u64>().clamp(1, FEE_HISTORY_CAP);
    let newest = chain.block(params.get(1)?).ok_or(RpcError::Block)?.number();
    let percentiles: Option<Vec<f64>> = params.optional(2)?;
    let oldest = (newest + 1).saturating_sub(count);
    let blocks: Vec<&Block> = (oldest..=newest).filter_map(|number| chain.block(BlockNumberOrTag::Number(number))).collect();
    let base_fee = |block: &&Block| u128::from(block.header().base_fee_per_gas.unwrap_or_default());
    let after = chain.block(BlockNumberOrTag::Number(newest + 1)).as_ref().map(base_fee);
    let mut base_fees: Vec<u128> = blocks.iter().map(base_fee).collect();
    base_fees.push(after.unwrap_or_else(|| u128::from(chain.next_base_fee())));
    answer(FeeHistory {
        base_fee_per_gas: base_fees,
        gas_used_ratio: blocks.iter().map(|block| block.header().gas_used as f64 / block.header().gas_limit as f64).collect(),
        base_fee_per_blob_gas: vec![1; blocks.len() + 1],
        blob_gas_used_ratio: vec![0.0; blocks.len()],
        oldest_block: oldest,
        reward: percentiles.map(|percentiles| blocks.iter().map(|block| rewards(block, &percentiles)).collect()),
    })
}

/// The tips paid in a block at these percentiles of its transactions.
fn rewards(block: &Block, percentiles: &[f64]) -> Vec<u128> {
    let base_fee = u128::from(block.header().base_fee_per_gas.unwrap_or_default());
    let mut tips: Vec<u128> = block.receipts.iter().map(|receipt| receipt.effective_gas_price.saturating_sub(base_fee)).collect();
    tips.sort_unstable();
    let last = tips.len().saturating_sub(1) as f64;
    percentiles
        .iter()
        .map(|percentile| (last * percentile.clamp(0.0, 100.0) / 100.0).round() as usize)
        .map(|index| tips.get(index).copied().unwrap_or_default())
        .collect()
}

fn logs(chain: &Chain, filter: &Filter) -> Result<Value, RpcError> {
    let blocks = match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            std::slice::from_ref(chain.block_by_hash(hash).ok_or_else(|| RpcError::Server("unknown block".into()))?)
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let number = |tag: Option<BlockNumberOrTag>| match tag.unwrap_or_default() {
                BlockNumberOrTag::Number(number) => Some(number),
                tag => chain.block(tag).map(Block::number),
            };
            let (from, to) = (number(from_block).unwrap_or_default(), number(to_block).unwrap_or_default());
            if from > to {
                return Err(RpcError::Server("invalid block range params".into()));
            }
            let end = to.min(chain.head().number()).saturating_add(1);
            chain.blocks().get(index(from)..index(end)).unwrap_or_default()
        }
    };
    let logs: Vec<&Log> = blocks
        .iter()
        .filter(|block| filter.matches_bloom(block.header().logs_bloom))
        .flat_map(|block| block.receipts.iter().flat_map(|receipt| receipt.logs()))
        .filter(|log| filter.matches(&log.inner))
        .collect();
    answer(logs)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
