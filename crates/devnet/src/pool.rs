//! The transactions that wait for a block, with the order and the refusals of a real node.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use alloy::consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};

use crate::block::SignedTransaction;
use crate::state::Account;

/// By how much in percent both fees must rise for a transaction to take another's place.
const PRICE_BUMP: u128 = 10;

/// Why a transaction is not taken. Texts are geth's, since clients recognise them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("rlp: {0}")]
    Malformed(String),
    #[error("transaction type not supported")]
    Type,
    #[error("invalid sender")]
    Sender,
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId { have: u64, want: u64 },
    #[error("already known")]
    Known,
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow { next: u64, nonce: u64 },
    #[error("replacement transaction underpriced")]
    Underpriced,
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {overshot}")]
    Funds { balance: U256, cost: U256, overshot: U256 },
    #[error("intrinsic gas too low: gas {gas}, minimum needed {least}")]
    IntrinsicGas { gas: u64, least: u64 },
    #[error("exceeds block gas limit")]
    GasLimit,
    #[error("max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, maxFeePerGas: {fee}")]
    TipAboveFee { tip: u128, fee: u128 },
}

#[derive(Clone, Debug)]
struct Waiting {
    transaction: SignedTransaction,
    arrival: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    senders: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    by_hash: HashMap<B256, (Address, u64)>,
    arrivals: u64,
}

impl Pool {
    pub fn get(&self, hash: &B256) -> Option<&SignedTransaction> {
        let (sender, nonce) = self.by_hash.get(hash)?;
        self.senders.get(sender)?.get(nonce).map(|waiting| &waiting.transaction)
    }

    pub fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Takes a transaction in, beside or in place of another with the same nonce. `account` is its sender's.
    pub fn add(&mut self, transaction: SignedTransaction, account: &Account) -> Result<B256, Refusal> {
        let hash = *transaction.tx_hash();
        if self.by_hash.contains_key(&hash) {
            return Err(Refusal::Known);
        }
        let (sender, nonce) = (transaction.signer(), transaction.nonce());
        if nonce < account.nonce {
            return Err(Refusal::NonceTooLow { next: account.nonce, nonce });
        }
        let queue = self.senders.get(&sender);
        let replaced = queue.and_then(|queue| queue.get(&nonce)).map(|waiting| &waiting.transaction);
        if replaced.is_some_and(|replaced| !outbids(&transaction, replaced)) {
            return Err(Refusal::Underpriced);
        }
        check_funds(&transaction, account, queue)?;
        let replaced = replaced.map(|replaced| *replaced.tx_hash());
        if let Some(replaced) = replaced {
            self.by_hash.remove(&replaced);
        }
        self.insert(transaction);
        Ok(hash)
    }

    /// Puts a transaction back without the checks that it passed before.
    pub fn insert(&mut self, transaction: SignedTransaction) {
        let (sender, nonce) = (transaction.signer(), transaction.nonce());
        self.by_hash.insert(*transaction.tx_hash(), (sender, nonce));
        self.arrivals += 1;
        let waiting = Waiting { transaction, arrival: self.arrivals };
        self.senders.entry(sender).or_default().insert(nonce, waiting);
    }

    pub fn remove(&mut self, hash: &B256) -> Option<SignedTransaction> {
        let (sender, nonce) = self.by_hash.remove(hash)?;
        let queue = self.senders.get_mut(&sender)?;
        let removed = queue.remove(&nonce);
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
        removed.map(|waiting| waiting.transaction)
    }

    /// Removes everything from `sender` that comes before its account's next nonce.
    pub fn forget_before(&mut self, sender: Address, next_nonce: u64) {
        let Some(queue) = self.senders.get_mut(&sender) else { return };
        let kept = queue.split_off(&next_nonce);
        for waiting in std::mem::replace(queue, kept).into_values() {
            self.by_hash.remove(waiting.transaction.tx_hash());
        }
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
    }

    /// The transaction that a block takes next: of every sender's next one that pays the base fee and fits into
    /// `gas_left`, the one with the highest tip, and among equals the one that came first.
    pub fn next(&self, next_nonce: impl Fn(Address) -> u64, base_fee: u64, gas_left: u64) -> Option<&SignedTransaction> {
        self.senders
            .iter()
            .filter_map(|(sender, queue)| queue.get(&next_nonce(*sender)))
            .filter(|waiting| waiting.transaction.gas_limit() <= gas_left)
            .filter_map(|waiting| Some((waiting.transaction.effective_tip_per_gas(base_fee)?, waiting)))
            .max_by_key(|(tip, waiting)| (*tip, Reverse(waiting.arrival)))
            .map(|(_, waiting)| &waiting.transaction)
    }

    /// The first nonce of `sender` that is neither used nor waiting without a gap.
    pub fn pending_nonce(&self, sender: Address, next_nonce: u64) -> u64 {
        let Some(queue) = self.senders.get(&sender) else { return next_nonce };
        (next_nonce..).find(|nonce| !queue.contains_key(nonce)).unwrap_or(next_nonce)
    }

    /// How many wait for a block, and how many for an earlier nonce.
    pub fn status(&self, next_nonce: impl Fn(Address) -> u64) -> (usize, usize) {
        let pending = self
            .senders
            .iter()
            .map(|(sender, queue)| {
                let next = next_nonce(*sender);
                let gap = self.pending_nonce(*sender, next);
                queue.range(next..gap).count()
            })
            .sum();
        (pending, self.len() - pending)
    }

    pub fn hashes(&self) -> Vec<B256> {
        self.senders.values().flat_map(BTreeMap::values).map(|waiting| *waiting.transaction.tx_hash()).collect()
    }
}

fn outbids(new: &SignedTransaction, old: &SignedTransaction) -> bool {
    let raised = |old: u128| old.saturating_add(old.saturating_mul(PRICE_BUMP).div_ceil(100)).max(old + 1);
    new.max_fee_per_gas() >= raised(old.max_fee_per_gas()) && tip(new) >= raised(tip(old))
}

fn tip(transaction: &SignedTransaction) -> u128 {
    transaction.max_priority_fee_per_gas().unwrap_or_else(|| transaction.max_fee_per_gas())
}

fn cost(transaction: &SignedTransaction) -> U256 {
    U256::from(transaction.max_fee_per_gas()).saturating_mul(U256::from(transaction.gas_limit())).saturating_add(transaction.value())
}

/// The sender must be able to pay for this transaction after all that it has waiting under earlier nonces.
fn check_funds(transaction: &SignedTransaction, account: &Account, queue: Option<&BTreeMap<u64, Waiting>>) -> Result<(), Refusal> {
    let before = queue
        .into_iter()
        .flat_map(|queue| queue.range(..transaction.nonce()))
        .map(|(_, waiting)| cost(&waiting.transaction))
        .fold(U256::ZERO, U256::saturating_add);
    let cost = cost(transaction);
    let overshot = before.saturating_add(cost).saturating_sub(account.balance);
    if overshot.is_zero() {
        return Ok(());
    }
    Err(Refusal::Funds { balance: account.balance, cost, overshot })
}
