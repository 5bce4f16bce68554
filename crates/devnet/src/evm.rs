//! Execution: one transaction or one call on one view of the state.

use std::convert::Infallible;

use alloy::consensus::Transaction as _;
use alloy::rpc::types::TransactionRequest;
use alloy::rpc::types::state::StateOverride;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use revm::bytecode::Bytecode;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction, ResultAndState};
use revm::context::{BlockEnv, TxEnv};
use revm::context_interface::either::Either;
use revm::database::CacheDB;
use revm::database_interface::{DatabaseRef, WrapDatabaseRef};
use revm::primitives::hardfork::SpecId;
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};

use crate::block::SignedTransaction;
use crate::state::View;

/// The most gas one `eth_call` or `eth_estimateGas` may use, as public nodes have it.
pub(crate) const CALL_GAS_CAP: u64 = 50_000_000;

/// How far an estimate may lie above the least gas that suffices: one part in this many.
const ESTIMATE_PRECISION: u64 = 64;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Refused before execution.
    #[error("{0}")]
    Invalid(InvalidTransaction),
    #[error("a state override of {0} has both state and stateDiff")]
    Override(Address),
    #[error("state overrides cannot move precompiles")]
    Precompile,
}

pub(crate) type Outcome = ResultAndState;

/// Executes a signed transaction with all checks.
pub(crate) fn execute(view: View<'_>, chain_id: u64, block: BlockEnv, transaction: TxEnv) -> Result<Outcome, InvalidTransaction> {
    run(view, chain_id, block, transaction, Checks::All)
}

/// Executes a call as `eth_call` does: no nonce, no fee unless it names one, contracts may be the sender.
pub(crate) fn call(
    view: View<'_>,
    chain_id: u64,
    mut block: BlockEnv,
    transaction: TxEnv,
    overrides: Option<StateOverride>,
) -> Result<ExecutionResult, CallError> {
    if transaction.gas_price == 0 {
        block.basefee = 0;
    }
    let outcome = match overrides {
        None => run(view, chain_id, block, transaction, Checks::Call),
        Some(overrides) => run(overridden(view, overrides)?, chain_id, block, transaction, Checks::Call),
    };
    outcome.map(|outcome| outcome.result).map_err(CallError::Invalid)
}

/// The least gas, within a sixty-fourth, with which a call succeeds; where it fails with all gas, that failure.
pub(crate) fn estimate(
    view: View<'_>,
    chain_id: u64,
    block: &BlockEnv,
    transaction: &TxEnv,
) -> Result<Result<u64, ExecutionResult>, CallError> {
    let attempt = |gas_limit| call(view, chain_id, block.clone(), TxEnv { gas_limit, ..transaction.clone() }, None);
    let result = attempt(transaction.gas_limit)?;
    if !result.is_success() {
        return Ok(Err(result));
    }
    // What a call inside a call can be given is 63/64 of what is left (EIP-150), hence the margin of the first guess.
    let guess = result.gas().total_gas_spent().max(result.tx_gas_used()).saturating_add(2_300).saturating_mul(64) / 63;
    let mut enough = transaction.gas_limit;
    let mut short = result.tx_gas_used().saturating_sub(1);
    let mut next = guess.min(enough);
    while short + 1 < enough && enough - short > enough / ESTIMATE_PRECISION {
        if attempt(next).is_ok_and(|result| result.is_success()) {
            enough = next;
        } else {
            short = next;
        }
        next = short + (enough - short) / 2;
    }
    Ok(Ok(enough))
}

/// A call's transaction from a request's fields. Gas is capped; what is absent is zero.
pub(crate) fn call_transaction(request: &TransactionRequest, gas_cap: u64) -> TxEnv {
    let fee = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
    TxEnv {
        tx_type: if request.authorization_list.is_some() { 4 } else { 2 },
        caller: request.from.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(gas_cap).min(gas_cap),
        gas_price: fee,
        gas_priority_fee: Some(request.max_priority_fee_per_gas.unwrap_or(fee).min(fee)),
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: request.input.input().cloned().unwrap_or_default(),
        nonce: request.nonce.unwrap_or_default(),
        chain_id: None,
        access_list: request.access_list.clone().unwrap_or_default(),
        authorization_list: request.authorization_list.iter().flatten().cloned().map(Either::Left).collect(),
        ..TxEnv::default()
    }
}

pub(crate) fn signed_transaction(transaction: &SignedTransaction) -> TxEnv {
    TxEnv {
        tx_type: transaction.tx_type() as u8,
        caller: transaction.signer(),
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        authorization_list: transaction.authorization_list().unwrap_or_default().iter().cloned().map(Either::Left).collect(),
        ..TxEnv::default()
    }
}

/// Code as the EVM takes it. A malformed delegation (EIP-7702) is code like any other, which cannot be executed.
pub(crate) fn bytecode(code: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Checks {
    All,
    Call,
}

fn run<DB: DatabaseRef<Error = Infallible>>(
    database: DB,
    chain_id: u64,
    block: BlockEnv,
    transaction: TxEnv,
    checks: Checks,
) -> Result<Outcome, InvalidTransaction> {
    let mut evm = Context::mainnet()
        .with_db(WrapDatabaseRef(database))
        .with_block(block)
        .modify_cfg_chained(|cfg| {
            cfg.set_spec_and_mainnet_gas_params(SpecId::PRAGUE);
            cfg.chain_id = chain_id;
            cfg.tx_chain_id_check = checks == Checks::All;
            cfg.disable_nonce_check = checks == Checks::Call;
            cfg.disable_eip3607 = checks == Checks::Call;
        })
        .build_mainnet();
    evm.transact(transaction).map_err(|error| match error {
        EVMError::Transaction(invalid) => invalid,
        // A header of ours lacks nothing and the state cannot fail, so that only the wording is left to choose.
        EVMError::Header(_) | EVMError::Database(_) => InvalidTransaction::Str("invalid block".into()),
        EVMError::Custom(text) => InvalidTransaction::Str(text.into()),
        EVMError::CustomAny(error) => InvalidTransaction::Str(error.to_string().into()),
    })
}

fn overridden(view: View<'_>, overrides: StateOverride) -> Result<CacheDB<View<'_>>, CallError> {
    let mut database = CacheDB::new(view);
    for (address, change) in overrides {
        if change.move_precompile_to.is_some() {
            return Err(CallError::Precompile);
        }
        let Ok(found) = database.basic_ref(address);
        let mut info = found.unwrap_or_default();
        info.balance = change.balance.unwrap_or(info.balance);
        info.nonce = change.nonce.unwrap_or(info.nonce);
        if let Some(code) = change.code {
            let code = bytecode(code);
            info.code_hash = code.hash_slow();
            info.code = Some(code);
        }
        database.insert_account_info(address, info);
        let words = |(slot, value): (B256, B256)| (U256::from_be_bytes(slot.0), U256::from_be_bytes(value.0));
        match (change.state, change.state_diff) {
            (Some(_), Some(_)) => return Err(CallError::Override(address)),
            (Some(state), None) => {
                let Ok(()) = database.replace_account_storage(address, state.into_iter().map(words).collect());
            }
            (None, Some(diff)) => {
                for (slot, value) in diff.into_iter().map(words) {
                    let Ok(()) = database.insert_account_storage(address, slot, value);
                }
            }
            (None, None) => {}
        }
    }
    Ok(database)
}
