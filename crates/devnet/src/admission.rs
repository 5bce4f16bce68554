//! What a node looks at before it takes a transaction: its form, and what it must cost.

use alloy::consensus::transaction::SignerRecoverable as _;
use alloy::consensus::{Transaction as _, TxEnvelope};
use alloy::eips::eip2718::Decodable2718 as _;

use crate::block::SignedTransaction;
use crate::chain::GAS_LIMIT;
use crate::pool::Refusal;

/// Decodes a signed transaction (EIP-2718) and recovers its signer.
pub(crate) fn decode(encoded: &[u8]) -> Result<SignedTransaction, Refusal> {
    let mut rest = encoded;
    let transaction = TxEnvelope::decode_2718(&mut rest).map_err(|error| Refusal::Malformed(error.to_string()))?;
    if !rest.is_empty() {
        return Err(Refusal::Malformed("input string too long".into()));
    }
    transaction.try_into_recovered().map_err(|_| Refusal::Sender)
}

/// What can be checked without the state.
pub(crate) fn check(transaction: &SignedTransaction, chain_id: u64) -> Result<(), Refusal> {
    if transaction.is_eip4844() {
        return Err(Refusal::Type);
    }
    match transaction.chain_id() {
        None => return Err(Refusal::Unprotected),
        Some(have) if have != chain_id => return Err(Refusal::ChainId { have, want: chain_id }),
        Some(_) => {}
    }
    let gas = transaction.gas_limit();
    if gas > GAS_LIMIT {
        return Err(Refusal::GasLimit);
    }
    let (tip, fee) = (transaction.max_priority_fee_per_gas().unwrap_or_default(), transaction.max_fee_per_gas());
    if tip > fee {
        return Err(Refusal::TipAboveFee { tip, fee });
    }
    let least = intrinsic_gas(transaction);
    if gas < least {
        return Err(Refusal::IntrinsicGas { gas, least });
    }
    Ok(())
}

/// What a transaction costs before its first instruction (EIP-2028, EIP-3860, EIP-2930, EIP-7702; floor: EIP-7623).
fn intrinsic_gas(transaction: &SignedTransaction) -> u64 {
    let length = transaction.input().len() as u64;
    let zeros = transaction.input().iter().filter(|byte| **byte == 0).count() as u64;
    let tokens = zeros + (length - zeros) * 4;
    let create = if transaction.kind().is_create() { 32_000 + length.div_ceil(32) * 2 } else { 0 };
    let access: u64 = transaction
        .access_list()
        .map(|list| list.iter().map(|item| 2_400 + 1_900 * item.storage_keys.len() as u64).sum())
        .unwrap_or_default();
    let authorizations = transaction.authorization_list().map_or(0, |list| list.len() as u64) * 25_000;
    (21_000 + tokens * 4 + create + access + authorizations).max(21_000 + tokens * 10)
}
