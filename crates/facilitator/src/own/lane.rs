//! One lane per signer and chain: it alone gives out the signer's account nonces.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    signers::SignerSync,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use ledger::{Attempt, LaneLease};

use super::call::{Target, Weight};
use crate::{SignerKey, chain::Account};

/// How long a returned nonce may hold up those above it before it is filled.
const GAP_AFTER: Duration = Duration::from_secs(1);
/// How long a nonce that was left behind is waited for where the node's pool lacks it, and where it has it.
const ABSENT_FOR: Duration = Duration::from_secs(3);
const POOLED_FOR: Duration = Duration::from_secs(60);
/// More transactions than this in a pool, of one signer, are not believed.
const POOL: u64 = 4_096;
/// Nonces that nobody holds which one look at the chain takes up.
const TAKEN_UP: usize = 16;

pub struct Lane {
    key: SignerKey,
    chain_id: u64,
    held: Mutex<Option<Held>>,
    /// The signer cannot pay for gas.
    dry: AtomicBool,
    /// What the signer had in wei, and when that was read.
    balance: Mutex<Option<(Instant, U256)>>,
}

/// Every nonce from the chain's count to `next` is in one of the three sets; what is in none, [`Lane::catch_up`] takes up.
struct Held {
    lease: LaneLease,
    /// Lowest nonce never given out.
    next: u64,
    /// What the node's pool lacks begins here, as told last.
    pending: u64,
    /// Given out and certainly not sent, since when.
    returned: BTreeMap<u64, Instant>,
    /// Given out for a payment that has not ended: being written, sent, or perhaps sent.
    in_flight: BTreeSet<u64>,
    /// Perhaps sent for a payment that has ended, or sent as a filler: only the chain's count, or one more filler, ends them.
    left: BTreeMap<u64, Left>,
}

struct Left {
    since: Instant,
    /// What may lie in a pool already, each to be outbid.
    bids: u32,
}

/// A nonce to be used up by a transaction that does nothing.
#[derive(Debug)]
pub struct Gap {
    pub lease: LaneLease,
    pub nonce: u64,
    /// What it may have to outbid.
    pub bids: u32,
}

/// The fees of a transaction, in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasPrice {
    pub max: u128,
    pub priority: u128,
}

impl GasPrice {
    /// High enough to replace what was sent `bids` times before, at most `cap`. Nodes want 10 % more for each replacement.
    pub fn outbidding(self, bids: u32, cap: u128) -> Self {
        let raised = |wei: u128| (0..bids.min(32)).fold(wei, |wei, _| wei.saturating_add(wei / 4).saturating_add(1));
        let max = raised(self.max).min(cap);
        Self { max, priority: raised(self.priority).min(max) }
    }
}

/// A nonce given out. Dropped unused, it goes back to the lane.
pub struct Slot<'lane> {
    lane: &'lane Lane,
    lease: LaneLease,
    nonce: u64,
    used: bool,
}

/// Signed bytes with their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub raw: Bytes,
    pub hash: B256,
}

impl Lane {
    pub fn new(key: SignerKey, chain_id: u64) -> Self {
        Self { key, chain_id, held: Mutex::new(None), dry: AtomicBool::new(false), balance: Mutex::new(None) }
    }

    pub fn signer(&self) -> Address {
        self.key.address()
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_held(&self) -> bool {
        self.held().is_some()
    }

    /// Starts giving out nonces: from what the chain counts and what was ever written, whichever is more. Nonces between the two that no
    /// open payment has (`open`: those that one has) are free to be used; those in the node's pool are somebody's already.
    pub fn hold(&self, lease: LaneLease, account: Account, open: BTreeSet<u64>) {
        let pending = believed(account);
        let next = pending.max(lease.next_nonce);
        let now = Instant::now();
        let returned = (pending..next).filter(|nonce| !open.contains(nonce)).map(|nonce| (nonce, now)).collect();
        let mut held = Held { lease, next, pending, returned, in_flight: open, left: BTreeMap::new() };
        held.take_up(account.mined);
        *self.held() = Some(held);
    }

    /// Stops giving out nonces: the lease is gone, or the process ends.
    pub fn leave(&self) -> Option<LaneLease> {
        self.held().take().map(|held| held.lease)
    }

    /// Whether the signer can pay for gas, as seen last.
    pub fn set_dry(&self, dry: bool) {
        self.dry.store(dry, Ordering::Relaxed);
    }

    /// What the signer had in wei, where that was read no longer ago than `age`.
    pub fn balance(&self, age: Duration) -> Option<U256> {
        let known = *self.balance.lock().unwrap_or_else(PoisonError::into_inner);
        known.filter(|(at, _)| at.elapsed() < age).map(|(_, balance)| balance)
    }

    pub fn note_balance(&self, balance: U256) {
        *self.balance.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), balance));
    }

    /// Payments under way; `None` where the lane is not held, or its signer cannot pay for gas.
    pub fn load(&self) -> Option<usize> {
        if self.dry.load(Ordering::Relaxed) {
            return None;
        }
        self.held().as_ref().map(|held| held.in_flight.len())
    }

    /// Gives out the lowest free nonce.
    pub fn slot(&self) -> Option<Slot<'_>> {
        let mut guard = self.held();
        let held = guard.as_mut()?;
        let nonce = match held.returned.pop_first() {
            Some((nonce, _)) => nonce,
            None => {
                let nonce = held.next;
                held.next = nonce.checked_add(1)?;
                nonce
            }
        };
        held.in_flight.insert(nonce);
        Some(Slot { lane: self, lease: held.lease.clone(), nonce, used: false })
    }

    /// The transaction of that nonce is mined.
    pub fn done(&self, nonce: u64) {
        if let Some(held) = self.held().as_mut() {
            held.in_flight.remove(&nonce);
            held.left.remove(&nonce);
        }
    }

    /// The payment of that nonce has ended without it: its bytes may be mined still, or never.
    pub fn leave_behind(&self, nonce: u64) {
        if let Some(held) = self.held().as_mut()
            && held.in_flight.remove(&nonce)
        {
            held.left.insert(nonce, Left { since: Instant::now(), bids: 1 });
        }
    }

    /// The node certainly has no transaction of that nonce.
    pub fn give_back(&self, nonce: u64) {
        if let Some(held) = self.held().as_mut() {
            held.in_flight.remove(&nonce);
            held.returned.insert(nonce, Instant::now());
        }
    }

    /// Whether the chain's count matters: something is given out that it has not counted, as far as we know.
    pub fn is_waiting(&self) -> bool {
        self.held().as_ref().is_some_and(|held| !(held.in_flight.is_empty() && held.returned.is_empty() && held.left.is_empty()))
    }

    /// What the chain has counted is over and cannot be given out; what it has not counted is somebody's, or becomes a gap.
    pub fn catch_up(&self, account: Account) {
        if let Some(held) = self.held().as_mut() {
            held.returned = held.returned.split_off(&account.mined);
            held.in_flight = held.in_flight.split_off(&account.mined);
            held.left = held.left.split_off(&account.mined);
            held.pending = believed(account);
            held.next = held.next.max(held.pending);
            held.take_up(account.mined);
        }
    }

    /// The lowest nonce that has to be filled now.
    pub fn gap(&self) -> Option<Gap> {
        self.gap_at(Instant::now())
    }

    #[cfg(test)]
    pub fn gap_after(&self, wait: Duration) -> Option<Gap> {
        self.gap_at(Instant::now() + wait)
    }

    fn gap_at(&self, now: Instant) -> Option<Gap> {
        let mut guard = self.held();
        let held = guard.as_mut()?;
        held.withdraw_returned(now);
        let pending = held.pending;
        let waited = |nonce: u64, left: &Left| {
            let patience = if left.bids == 0 {
                Duration::ZERO
            } else if nonce < pending {
                POOLED_FOR
            } else {
                ABSENT_FOR
            };
            now.saturating_duration_since(left.since) >= patience
        };
        let (&nonce, left) = held.left.iter().find(|(nonce, left)| waited(**nonce, left))?;
        Some(Gap { lease: held.lease.clone(), nonce, bids: left.bids })
    }

    /// A filler of that nonce was sent, or was tried to be: the next one waits, and outbids it where `bid`.
    pub fn filled(&self, nonce: u64, bid: bool) {
        if let Some(left) = self.held().as_mut().and_then(|held| held.left.get_mut(&nonce)) {
            left.since = Instant::now();
            left.bids = if bid { left.bids.saturating_add(1) } else { left.bids.max(1) };
        }
    }

    /// Signs a transfer of nothing from the signer to itself.
    pub fn sign_filler(&self, nonce: u64, gas: u64, price: GasPrice) -> Result<Signed, alloy::signers::Error> {
        let itself = Target { to: self.signer(), data: Bytes::new(), weight: Weight::Plain };
        self.sign(nonce, &itself, gas, price)
    }

    /// What is written before it is sent.
    pub fn attempt(&self, account_nonce: u64, signed: &Signed) -> Attempt {
        Attempt::Own { signer: self.signer(), account_nonce, raw: signed.raw.0.clone(), transaction: signed.hash }
    }

    fn sign(&self, nonce: u64, target: &Target, gas: u64, price: GasPrice) -> Result<Signed, alloy::signers::Error> {
        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: gas,
            max_fee_per_gas: price.max,
            max_priority_fee_per_gas: price.priority,
            to: TxKind::Call(target.to),
            value: U256::ZERO,
            access_list: Default::default(),
            input: target.data.clone(),
        };
        let signature = self.key.signer().sign_hash_sync(&transaction.signature_hash())?;
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        Ok(Signed { raw: envelope.encoded_2718().into(), hash: *envelope.tx_hash() })
    }
}

impl Held {
    /// Nonces that nobody holds, of those that the chain has not counted: lost, or somebody else's.
    fn take_up(&mut self, mined: u64) {
        let holds = |nonce: &u64| self.in_flight.contains(nonce) || self.returned.contains_key(nonce) || self.left.contains_key(nonce);
        let unheld: Vec<u64> = (mined..self.next).filter(|nonce| !holds(nonce)).take(TAKEN_UP).collect();
        let since = Instant::now();
        self.left.extend(unheld.into_iter().map(|nonce| (nonce, Left { since, bids: 1 })));
    }

    /// A returned nonce that has held up others for too long is to be filled, and given out no more.
    fn withdraw_returned(&mut self, now: Instant) {
        let Some((&nonce, &since)) = self.returned.first_key_value() else { return };
        let highest = self.in_flight.last().max(self.left.last_key_value().map(|(nonce, _)| nonce));
        if highest.is_some_and(|highest| *highest > nonce) && now.saturating_duration_since(since) >= GAP_AFTER {
            self.returned.remove(&nonce);
            self.left.insert(nonce, Left { since: now, bids: 0 });
        }
    }
}

/// Where the node's pool ends. A count that no pool can have is not believed.
fn believed(account: Account) -> u64 {
    if account.pending.saturating_sub(account.mined) > POOL { account.mined } else { account.pending.max(account.mined) }
}

impl Slot<'_> {
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    pub fn lease(&self) -> LaneLease {
        self.lease.clone()
    }

    /// Signs for this nonce.
    pub fn sign(&self, target: &Target, gas: u64, price: GasPrice) -> Result<Signed, alloy::signers::Error> {
        self.lane.sign(self.nonce, target, gas, price)
    }

    /// What is written before anything is sent.
    pub fn attempt(&self, signed: &Signed) -> Attempt {
        self.lane.attempt(self.nonce, signed)
    }

    /// The bytes of this nonce may be sent from now on.
    pub fn spend(mut self) {
        self.used = true;
        if let Some(held) = self.lane.held().as_mut() {
            held.in_flight.insert(self.nonce);
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if !self.used
            && let Some(held) = self.lane.held().as_mut()
            && held.lease.epoch == self.lease.epoch
        {
            held.in_flight.remove(&self.nonce);
            held.returned.insert(self.nonce, Instant::now());
        }
    }
}
