//! What a node's answer to `eth_sendRawTransaction` says of the bytes. Only a sentence we know counts as a yes or a no.

/// What became of bytes handed to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// The node has them.
    Taken,
    /// The node certainly has not.
    Refused(Refused),
    /// Nobody can say.
    Maybe { why: String },
}

/// Why bytes were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The account nonce is mined already, by this transaction or by another.
    NonceUsed { why: String },
    /// The signer cannot pay. The account nonce stays free.
    Funds { why: String },
    /// The account nonce stays free.
    Other { why: String },
}

/// Parts of messages of geth, nethermind, erigon, reth, besu, op-geth, anvil and the large providers, in lower case.
const TAKEN: &[&str] = &[
    "already known",
    "alreadyknown",
    "known transaction",
    "already imported",
    "already in pool",
    "already exists in pool",
    "already in mempool",
    "tx already in mempool",
    "transaction already exists",
    "already in the txpool",
    "already_exists",
];
const NONCE_USED: &[&str] =
    &["nonce too low", "nonce is too low", "nonce_too_low", "oldnonce", "old nonce", "nonce has already been used", "nonce_expired"];
const FUNDS: &[&str] = &["insufficient funds", "insufficientfunds", "insufficient balance", "upfront cost exceeds account balance"];
const REFUSED: &[&str] = &[
    "intrinsic gas too low",
    "intrinsicgas",
    "intrinsic gas exceeds",
    "exceeds block gas limit",
    "gas limit exceeds",
    "gas limit is too high",
    "gas limit too high",
    "gaslimitexceeded",
    "less than block base fee",
    "lower than block base fee",
    "lower than the current base fee",
    "underpriced",
    "gas price too low",
    "gas price below",
    "feetoolow",
    "fee too low",
    "tip above fee cap",
    "priority fee per gas higher than max fee",
    "exceeds the configured cap",
    "invalid chain id",
    "invalid chainid",
    "wrong chain id",
    "chain id mismatch",
    "incorrect chain id",
    "only replay-protected",
    "invalid sender",
    "invalid signature",
    "invalid transaction v, r, s",
    "oversized data",
    "transaction type not supported",
    "unsupported transaction type",
    "txpool is full",
    "pool is full",
    "mempool is full",
    "nonce too high",
    "nonce too far",
    "nonce gap",
    "sender not an eoa",
    "sender is not an eoa",
    "rlp:",
    "could not decode",
    "decode error",
    "failed to decode",
    "max initcode size",
];

/// Reads the error of a node; unknown text is a maybe.
pub fn classify(message: &str) -> Broadcast {
    let text = message.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if says(TAKEN) {
        return Broadcast::Taken;
    }
    let why = message.to_owned();
    if says(NONCE_USED) {
        return Broadcast::Refused(Refused::NonceUsed { why });
    }
    if says(FUNDS) {
        return Broadcast::Refused(Refused::Funds { why });
    }
    if says(REFUSED) {
        return Broadcast::Refused(Refused::Other { why });
    }
    Broadcast::Maybe { why }
}

#[cfg(test)]
#[path = "broadcast_tests.rs"]
mod tests;
