//! A receipt is judged by its logs.

use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;

use crate::chain::{AuthorizationUsed, Log, Receipt, Transfer};

/// What a payment's settlement must show.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub token: Address,
    pub payer: Address,
    pub nonce: B256,
    pub payee: Address,
    pub amount: U256,
}

impl Expected {
    /// The topics of the log that marks the nonce as used (EIP-3009).
    pub fn used_topics(&self) -> [B256; 3] {
        [AuthorizationUsed::SIGNATURE_HASH, self.payer.into_word(), self.nonce]
    }

    /// Index of the `Transfer` that belongs to this payment's `AuthorizationUsed`, both by the token itself.
    ///
    /// Between two uses of authorizations a token's transfers belong to the one before them (EIP-3009's reference marks the nonce first); for tokens
    /// that mark it last, to the one after. The payer may have signed several equal payments: each needs a transfer of its own.
    pub fn evidence(&self, receipt: &Receipt) -> Option<u64> {
        if !receipt.succeeded {
            return None;
        }
        let logs: Vec<&Log> = receipt.logs.iter().filter(|log| log.address == self.token).collect();
        let used = logs.iter().position(|log| log.topics == self.used_topics())?;
        let is_use = |log: &&&Log| log.topics.first() == Some(&AuthorizationUsed::SIGNATURE_HASH);
        let after = logs.iter().skip(used + 1).take_while(|log| !is_use(log));
        let before = logs.iter().take(used).rev().take_while(|log| !is_use(log));
        let first_use = !logs.iter().take(used).any(|log| is_use(&log));
        let mut candidates: Vec<&&Log> = after.collect();
        if first_use {
            candidates.extend(before);
        }
        candidates.into_iter().find(|log| self.is_transfer(log)).map(|log| log.index)
    }

    fn is_transfer(&self, log: &Log) -> bool {
        log.topics == [Transfer::SIGNATURE_HASH, self.payer.into_word(), self.payee.into_word()]
            && log.data.as_ref() == self.amount.to_be_bytes::<32>()
    }
}
