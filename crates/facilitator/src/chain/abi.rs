//! The contracts we talk to: EIP-3009 tokens, Multicall3, the deployless reader of facts.

use std::sync::LazyLock;

use alloy_primitives::{Address, Bytes, address};
use alloy_sol_types::{SolValue, sol};

sol! {
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);
    event Transfer(address indexed from, address indexed to, uint256 value);

    function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s);
    function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature);

    function DOMAIN_SEPARATOR() returns (bytes32);
    function decimals() returns (uint8);

    struct Call3 { address target; bool allowFailure; bytes callData; }
    function aggregate3(Call3[] calls);

    struct Row { uint256 codeSize; uint256 balance; bool nonceUsed; bool blacklisted; }
}

/// Multicall3, at the same address on every chain; it holds nothing.
pub const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// Creation code of `contracts/src/Facts.sol`.
static FACTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let hex = include_str!("../../../../contracts/out/Facts.bin");
    alloy_primitives::hex::decode(hex.trim()).unwrap_or_default()
});

/// The data of the call without `to` that reads facts.
pub fn facts_call(token: Address, asked: &[(Address, alloy_primitives::B256)]) -> Bytes {
    let payers: Vec<_> = asked.iter().map(|(payer, _)| *payer).collect();
    let nonces: Vec<_> = asked.iter().map(|(_, nonce)| *nonce).collect();
    let arguments = (token, payers, nonces).abi_encode_params();
    let mut data = Vec::with_capacity(FACTS.len() + arguments.len());
    data.extend_from_slice(&FACTS);
    data.extend_from_slice(&arguments);
    data.into()
}
