//! A chain that says what it is told to say.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolEvent;
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::chain::{
    Account, AuthorizationUsed, BlockTag, Broadcast, Call, Chain, ChainError, FactsAt, Fees, Head, Log, PayerFacts, Receipt, Refused,
    Simulation, TokenState, Transfer,
};

pub struct Script {
    pub height: u64,
    pub timestamp: u64,
    /// Height that facts are told at; the node's own where `None`.
    pub facts_at: Option<u64>,
    pub row: PayerFacts,
    /// Pairs that facts were asked of.
    pub facts_asked: usize,
    pub simulation: Simulation,
    pub receipts: HashMap<B256, Receipt>,
    /// Transactions by the first topic of their logs.
    pub logs: HashMap<B256, Vec<B256>>,
    pub known: bool,
    /// By account nonce; otherwise taken.
    pub broadcasts: HashMap<u64, Vec<Broadcast>>,
    pub sent: Vec<TxEnvelope>,
    /// Bytes are not taken, and nobody says so.
    pub deaf: bool,
    /// Account nonces below it are mined, beside those of which there is a receipt.
    pub mined: u64,
    pub balance: U256,
    pub down: bool,
    pub token: TokenState,
}

pub struct Scripted {
    pub script: Mutex<Script>,
    /// Broadcasts of account nonce zero wait for it, where set.
    pub hold_first: Mutex<Option<Arc<Notify>>>,
}

impl Scripted {
    pub fn new(domain_separator: B256) -> Arc<Self> {
        let row = PayerFacts { has_code: false, balance: U256::from(1_000_000), nonce_used: false, blacklisted: false };
        let script = Script {
            height: 100,
            timestamp: 1_000,
            facts_at: None,
            row,
            facts_asked: 0,
            simulation: Simulation::Succeeds { gas: 60_000 },
            receipts: HashMap::new(),
            logs: HashMap::new(),
            known: true,
            broadcasts: HashMap::new(),
            sent: Vec::new(),
            deaf: false,
            mined: 0,
            balance: U256::MAX,
            down: false,
            token: TokenState { has_code: true, domain_separator: Some(domain_separator), decimals: Some(6) },
        };
        Arc::new(Self { script: Mutex::new(script), hold_first: Mutex::new(None) })
    }

    pub fn say<R>(&self, change: impl FnOnce(&mut Script) -> R) -> R {
        change(&mut self.script.lock().unwrap())
    }

    fn ask<R>(&self, read: impl FnOnce(&mut Script) -> R) -> Result<R, ChainError> {
        self.say(|script| if script.down { Err(ChainError("down".into())) } else { Ok(read(script)) })
    }

    /// Account nonces of what was sent.
    pub fn nonces(&self) -> Vec<u64> {
        self.say(|script| script.sent.iter().map(|sent| sent.nonce()).collect())
    }

    /// Hash of the first transaction sent, once there is one.
    pub async fn sent(&self) -> B256 {
        loop {
            if let Some(hash) = self.say(|script| script.sent.first().map(|sent| *sent.tx_hash())) {
                return hash;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A mined payment.
pub fn receipt(transaction: B256, token: Address, payer: Address, nonce: B256, payee: Address, amount: U256) -> Receipt {
    let log = |topics, data, index| Log { address: token, topics, data, index, transaction };
    let used = log(vec![AuthorizationUsed::SIGNATURE_HASH, payer.into_word(), nonce], Bytes::new(), 0);
    let moved = log(vec![Transfer::SIGNATURE_HASH, payer.into_word(), payee.into_word()], amount.to_be_bytes::<32>().into(), 1);
    Receipt { transaction, block_number: 101, block_hash: B256::repeat_byte(9), succeeded: true, logs: vec![used, moved] }
}

#[async_trait]
impl Chain for Scripted {
    async fn probe(&self) -> Result<u64, ChainError> {
        self.ask(|_| 1)
    }

    async fn height(&self) -> Result<u64, ChainError> {
        self.ask(|script| script.height)
    }

    async fn head(&self, at: BlockTag) -> Result<Head, ChainError> {
        let number = |script: &Script| if let BlockTag::Number(number) = at { number } else { script.height };
        self.ask(|script| Head { number: number(script), hash: B256::ZERO, timestamp: script.timestamp })
    }

    async fn facts(&self, _: Address, asked: &[(Address, B256)]) -> Result<FactsAt, ChainError> {
        self.ask(|script| {
            script.facts_asked += asked.len();
            let block = script.facts_at.unwrap_or(script.height);
            FactsAt { block, timestamp: script.timestamp, paused: false, rows: vec![script.row; asked.len()] }
        })
    }

    async fn simulate(&self, _: &Call) -> Result<Simulation, ChainError> {
        self.ask(|script| script.simulation.clone())
    }

    async fn estimate(&self, _: &Call) -> Result<Simulation, ChainError> {
        self.ask(|script| script.simulation.clone())
    }

    async fn fees(&self) -> Result<Fees, ChainError> {
        self.ask(|_| Fees { base: 100, priority: 1 })
    }

    async fn account(&self, _: Address) -> Result<Account, ChainError> {
        self.ask(|script| {
            let mined = |nonce: &u64| script.sent.iter().any(|sent| sent.nonce() == *nonce && script.receipts.contains_key(sent.tx_hash()));
            let counted = (script.mined..).take_while(mined).last().map_or(script.mined, |last| last + 1);
            Account { mined: counted, pending: counted, balance: script.balance }
        })
    }

    async fn broadcast(&self, raw: &Bytes) -> Broadcast {
        let transaction = TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap();
        let nonce = transaction.nonce();
        let hold = self.hold_first.lock().unwrap().clone().filter(|_| nonce == 0);
        if let Some(hold) = hold {
            hold.notified().await;
        }
        self.say(|script| {
            if script.down {
                return Broadcast::Refused(Refused::Other { why: "down".into() });
            }
            if script.deaf {
                return Broadcast::Maybe { why: "deaf".into() };
            }
            let answer = script.broadcasts.get_mut(&nonce).and_then(Vec::pop).unwrap_or(Broadcast::Taken);
            if matches!(answer, Broadcast::Refused(Refused::Funds { .. })) {
                script.balance = U256::ZERO;
            }
            if !matches!(answer, Broadcast::Refused(_)) {
                script.sent.push(transaction);
            }
            answer
        })
    }

    async fn receipts(&self, transactions: &[B256]) -> Result<Vec<Option<Receipt>>, ChainError> {
        self.ask(|script| transactions.iter().map(|hash| script.receipts.get(hash).cloned()).collect())
    }

    async fn knows(&self, _: B256) -> Result<bool, ChainError> {
        self.ask(|script| script.known)
    }

    /// This node does not care since when.
    async fn transactions(&self, _: Address, topics: [B256; 3], _: u64) -> Result<Vec<B256>, ChainError> {
        self.ask(|script| script.logs.get(&topics[0]).cloned().unwrap_or_default())
    }

    async fn token(&self, _: Address) -> Result<TokenState, ChainError> {
        self.ask(|script| script.token.clone())
    }
}
