//! JSON-RPC errors, with the codes that nodes use.

use alloy_primitives::{Bytes, hex};
use alloy_sol_types::{Revert, SolError as _};
use revm::context::result::{ExecutionResult, HaltReason, InvalidTransaction};
use serde_json::{Value, json};

use crate::chain::CommandError;
use crate::evm::CallError;
use crate::pool::Refusal;

/// Why a request is not answered with a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    #[error("parse error: {0}")]
    Parse(String),
    #[error("invalid request")]
    Request,
    #[error("the method {0} does not exist/is not available")]
    Method(String),
    #[error("invalid argument {index}: {reason}")]
    Argument { index: usize, reason: String },
    #[error("header not found")]
    Block,
    /// A call reverted with this data.
    #[error("{}", revert_message(.0))]
    Reverted(Bytes),
    /// Any other failure, in geth's words.
    #[error("{0}")]
    Server(String),
}

impl RpcError {
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Parse(_) => -32700,
            Self::Request => -32600,
            Self::Method(_) => -32601,
            Self::Argument { .. } => -32602,
            Self::Reverted(_) => 3,
            Self::Block | Self::Server(_) => -32000,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code(), "message": self.to_string() });
        if let Self::Reverted(data) = self {
            error["data"] = json!(hex::encode_prefixed(data));
        }
        error
    }

    /// The error that a failed execution is.
    pub(crate) fn failed(result: ExecutionResult) -> Self {
        match result {
            ExecutionResult::Revert { output, .. } => Self::Reverted(output),
            ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => Self::Server("out of gas".into()),
            ExecutionResult::Halt { reason: HaltReason::CreateContractSizeLimit, .. } => Self::Server("max code size exceeded".into()),
            ExecutionResult::Halt { reason, .. } => Self::Server(reason.to_string()),
            ExecutionResult::Success { .. } => Self::Server("execution succeeded".into()),
        }
    }
}

fn revert_message(data: &Bytes) -> String {
    match Revert::abi_decode(data) {
        Ok(revert) => format!("execution reverted: {}", revert.reason),
        Err(_) => "execution reverted".into(),
    }
}

impl From<Refusal> for RpcError {
    fn from(refusal: Refusal) -> Self {
        Self::Server(refusal.to_string())
    }
}

impl From<CommandError> for RpcError {
    fn from(error: CommandError) -> Self {
        Self::Server(error.to_string())
    }
}

impl From<CallError> for RpcError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Invalid(InvalidTransaction::LackOfFundForMaxFee { fee, balance }) => {
                Self::Server(format!("insufficient funds for gas * price + value: have {balance} want {fee}"))
            }
            CallError::Invalid(InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit }) => {
                Self::Server(format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}"))
            }
            other => Self::Server(other.to_string()),
        }
    }
}
