//! The methods that send transactions.

use alloy::consensus::{SignableTransaction as _, TxEnvelope};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::network::TxSignerSync as _;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Bytes, TxKind};
use serde_json::Value;

use super::{Node, Params, RpcError, answer, eth};
use crate::accounts::{ACCOUNTS, DevAccount};
use crate::chain::{Chain, SUGGESTED_TIP};

pub(super) fn dispatch(node: &Node, method: &str, params: &Params) -> Result<Value, RpcError> {
    match method {
        "eth_sendRawTransaction" => {
            let encoded: Bytes = params.get(0)?;
            answer(node.write().submit(&encoded)?)
        }
        "eth_sendTransaction" => {
            let request: TransactionRequest = params.get(0)?;
            let mut chain = node.write();
            let encoded = sign(&chain, request)?.encoded_2718();
            answer(chain.submit(&encoded)?)
        }
        _ => Err(RpcError::Method(method.to_owned())),
    }
}

/// Fills what is absent and signs with the key of a development account.
pub(crate) fn sign(chain: &Chain, mut request: TransactionRequest) -> Result<TxEnvelope, RpcError> {
    let unlocked = |account: &&DevAccount| Some(account.address) == request.from;
    let Some(account) = ACCOUNTS.iter().find(unlocked) else {
        return Err(RpcError::Server("unknown account".into()));
    };
    if request.gas.is_none() {
        request.gas = Some(eth::estimate_gas(chain, &request)?);
    }
    request.nonce.get_or_insert_with(|| chain.pending_nonce(account.address));
    request.chain_id.get_or_insert(chain.chain_id);
    request.to.get_or_insert(TxKind::Create);
    if request.gas_price.is_none() {
        let tip = *request.max_priority_fee_per_gas.get_or_insert(SUGGESTED_TIP);
        request.max_fee_per_gas.get_or_insert(u128::from(chain.next_base_fee()) * 2 + tip);
    }
    let mut transaction = request.build_typed_tx().map_err(|_| RpcError::Server("incomplete transaction".into()))?;
    let signature = account.signer().sign_transaction_sync(&mut transaction).map_err(|error| RpcError::Server(error.to_string()))?;
    Ok(transaction.into_signed(signature).into())
}
