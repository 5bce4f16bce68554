#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[derive(Debug, PartialEq)]
enum Class {
    Taken,
    NonceUsed,
    Funds,
    Refused,
    Maybe,
}

fn class(message: &str) -> Class {
    match classify(message) {
        Broadcast::Taken => Class::Taken,
        Broadcast::Refused(Refused::NonceUsed { .. }) => Class::NonceUsed,
        Broadcast::Refused(Refused::Funds { .. }) => Class::Funds,
        Broadcast::Refused(Refused::Other { .. }) => Class::Refused,
        Broadcast::Maybe { .. } => Class::Maybe,
    }
}

#[test]
fn every_recorded_sentence_has_its_class() {
    let table = [
        // geth, op-geth, bsc
        ("already known", Class::Taken),
        ("nonce too low", Class::NonceUsed),
        ("nonce too low: next nonce 12, tx nonce 11", Class::NonceUsed),
        ("nonce too low: address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266, tx: 3 state: 4", Class::NonceUsed),
        ("nonce too high", Class::Refused),
        ("insufficient funds for gas * price + value: balance 0, tx cost 21000, overshot 21000", Class::Funds),
        ("insufficient funds for gas * price + value", Class::Funds),
        ("insufficient funds for transfer", Class::Funds),
        ("intrinsic gas too low", Class::Refused),
        ("intrinsic gas too low: gas 100, minimum needed 21000", Class::Refused),
        ("exceeds block gas limit", Class::Refused),
        ("replacement transaction underpriced", Class::Refused),
        ("transaction underpriced", Class::Refused),
        ("transaction underpriced: tip needed 1000000, tip permitted 0", Class::Refused),
        ("max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 7", Class::Refused),
        ("max priority fee per gas higher than max fee per gas", Class::Refused),
        ("tx fee (1.50 ether) exceeds the configured cap (1.00 ether)", Class::Refused),
        ("only replay-protected (EIP-155) transactions allowed over RPC", Class::Refused),
        ("invalid sender", Class::Refused),
        ("invalid chain id for signer: have 1 want 8453", Class::Refused),
        ("transaction type not supported", Class::Refused),
        ("oversized data: transaction size 200000, limit 131072", Class::Refused),
        ("txpool is full", Class::Refused),
        ("sender not an eoa: address 0x00, len(code): 23", Class::Refused),
        ("rlp: expected input list for types.LegacyTx", Class::Refused),
        // nethermind
        ("AlreadyKnown", Class::Taken),
        ("OldNonce", Class::NonceUsed),
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 4", Class::NonceUsed),
        ("FeeTooLow, MaxFeePerGas too low", Class::Refused),
        ("FeeTooLowToCompete", Class::Refused),
        ("InsufficientFunds, Account balance: 0, cumulative cost: 21000", Class::Funds),
        ("GasLimitExceeded", Class::Refused),
        ("NonceGap, Future nonce. Expected nonce: 7", Class::Maybe),
        // erigon
        ("ALREADY_EXISTS: already known", Class::Taken),
        ("INTERNAL_ERROR: existing tx with same hash", Class::Maybe),
        ("INTERNAL_ERROR: nonce too low", Class::NonceUsed),
        ("INTERNAL_ERROR: insufficient funds", Class::Funds),
        ("INTERNAL_ERROR: underpriced", Class::Refused),
        // besu
        ("Known transaction", Class::Taken),
        ("Nonce too low", Class::NonceUsed),
        ("Upfront cost exceeds account balance", Class::Funds),
        ("Intrinsic gas exceeds gas limit", Class::Refused),
        ("Gas price below configured minimum gas price", Class::Refused),
        // reth, op-reth
        ("transaction already imported", Class::Taken),
        ("nonce too low: next nonce 4, tx nonce 3", Class::NonceUsed),
        ("tx gas limit exceeds block gas limit", Class::Refused),
        // anvil
        ("transaction already imported", Class::Taken),
        ("Insufficient funds for gas * price + value", Class::Funds),
        ("max fee per gas less than block base fee", Class::Refused),
        // arbitrum, polygon, providers
        ("nonce is too low", Class::NonceUsed),
        ("the transaction nonce has already been used", Class::NonceUsed),
        ("max fee per gas less than block base fee: address 0x00", Class::Refused),
        ("transaction already exists in pool", Class::Taken),
        ("tx already in mempool", Class::Taken),
        ("could not replace existing tx", Class::Maybe),
        // what nobody can read is a maybe
        ("", Class::Maybe),
        ("internal error", Class::Maybe),
        ("Internal JSON-RPC error.", Class::Maybe),
        ("request timed out", Class::Maybe),
        ("timeout waiting for response", Class::Maybe),
        ("context deadline exceeded", Class::Maybe),
        ("upstream connect error or disconnect/reset before headers", Class::Maybe),
        ("too many requests", Class::Maybe),
        ("daily request count exceeded, request rate limited", Class::Maybe),
        ("service temporarily unavailable", Class::Maybe),
        ("method not found", Class::Maybe),
        ("header not found", Class::Maybe),
        ("bad gateway", Class::Maybe),
        ("something new", Class::Maybe),
    ];
    for (message, expected) in table {
        assert_eq!(class(message), expected, "{message}");
    }
}
