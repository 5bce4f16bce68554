//! Facts of many payers in one call, and once per block.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use x402::Facts;

use crate::chain::{Chain, ChainError, FactsAt, PayerFacts};

/// How long facts of a block are used while the chain stays at it; a block may be replaced by another of the same number.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// The most facts that are kept.
const KEPT: usize = 16_384;

/// A payer and an EIP-3009 nonce.
pub type Question = (Address, B256);

/// What a chain said of one payment, with the block and the time (unix seconds) it was said at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub facts: Facts,
    pub block: u64,
    pub timestamp: u64,
}

/// Reads facts of one token. What was read at a block is not read again at it; that the chain is still there, it asks every time.
pub struct Reader {
    chain: Arc<dyn Chain>,
    token: Address,
    known: Mutex<Known>,
}

struct Known {
    block: u64,
    timestamp: u64,
    paused: bool,
    since: Instant,
    rows: HashMap<Question, PayerFacts>,
}

impl Known {
    fn seen(&self, question: &Question) -> Option<Seen> {
        self.rows.get(question).map(|row| seen(*row, self.paused, self.block, self.timestamp))
    }
}

fn seen(row: PayerFacts, paused: bool, block: u64, timestamp: u64) -> Seen {
    let facts = Facts {
        balance: row.balance,
        nonce_used: row.nonce_used,
        paused,
        payer_blacklisted: row.blacklisted,
        payer_has_code: row.has_code,
    };
    Seen { facts, block, timestamp }
}

impl Reader {
    pub fn new(chain: Arc<dyn Chain>, token: Address) -> Self {
        let known = Known { block: 0, timestamp: 0, paused: false, since: Instant::now(), rows: HashMap::new() };
        Self { chain, token, known: Mutex::new(known) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One answer for each question, in order.
    pub async fn read(&self, asked: Vec<Question>) -> Result<Vec<Seen>, ChainError> {
        let missing = self.missing(&asked);
        let block = if missing.is_empty() {
            self.chain.height().await?
        } else {
            let at = self.chain.facts(self.token, &missing).await?;
            self.note(&missing, &at);
            at.block
        };
        if let Some(all) = self.answer(&asked, block) {
            return Ok(all);
        }
        // The chain has moved on, and what was known with it.
        let at = self.chain.facts(self.token, &asked).await?;
        self.note(&asked, &at);
        Ok(at.rows.iter().map(|row| seen(*row, at.paused, at.block, at.timestamp)).collect())
    }

    /// One answer, read now whatever is known: for decisions about money.
    pub async fn read_now(chain: &dyn Chain, token: Address, question: Question) -> Result<Seen, ChainError> {
        let at = chain.facts(token, &[question]).await?;
        let row = at.rows.first().ok_or_else(|| ChainError("unexpected answer: no facts".into()))?;
        Ok(seen(*row, at.paused, at.block, at.timestamp))
    }

    fn missing(&self, asked: &[Question]) -> Vec<Question> {
        let mut known = self.known();
        if known.since.elapsed() > GOOD_FOR || known.rows.len() > KEPT {
            known.rows.clear();
        }
        asked.iter().filter(|question| !known.rows.contains_key(question)).copied().collect()
    }

    fn note(&self, asked: &[Question], at: &FactsAt) {
        let mut known = self.known();
        if known.block != at.block || known.rows.is_empty() {
            known.rows.clear();
            known.since = Instant::now();
        }
        (known.block, known.timestamp, known.paused) = (at.block, at.timestamp, at.paused);
        known.rows.extend(asked.iter().copied().zip(at.rows.iter().copied()));
    }

    /// From what is known, if all of it is of that block.
    fn answer(&self, asked: &[Question], block: u64) -> Option<Vec<Seen>> {
        let known = self.known();
        if known.block != block {
            return None;
        }
        asked.iter().map(|question| known.seen(question)).collect()
    }
}
