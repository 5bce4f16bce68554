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

use super::call::Target;
use crate::{SignerKey, chain::Account};

/// How long a returned nonce may hold up those above it before it is filled.
const GAP_AFTER: Duration = Duration::from_secs(1);

pub struct Lane {
    key: SignerKey,
    chain_id: u64,
    held: Mutex<Option<Held>>,
    /// The signer cannot pay for gas.
    dry: AtomicBool,
}

struct Held {
    lease: LaneLease,
    /// Lowest nonce never given out.
    next: u64,
    /// Given out and certainly not sent, since when.
    returned: BTreeMap<u64, Instant>,
    /// Sent, or perhaps sent.
    in_flight: BTreeSet<u64>,
}

/// The fees of a transaction, in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasPrice {
    pub max: u128,
    pub priority: u128,
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
        Self { key, chain_id, held: Mutex::new(None), dry: AtomicBool::new(false) }
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

    /// Starts giving out nonces: from what the chain counts and what was ever written, whichever is more. Nonces between the two
    /// that no open payment has (`open`: those that one has) are free to be used.
    pub fn hold(&self, lease: LaneLease, account: Account, open: BTreeSet<u64>) {
        let next = account.pending.max(lease.next_nonce);
        let now = Instant::now();
        let returned = (account.pending..next).filter(|nonce| !open.contains(nonce)).map(|nonce| (nonce, now)).collect();
        *self.held() = Some(Held { lease, next, returned, in_flight: open });
    }

    /// Stops giving out nonces: the lease is gone, or the process ends.
    pub fn leave(&self) -> Option<LaneLease> {
        self.held().take().map(|held| held.lease)
    }

    /// Whether the signer can pay for gas, as seen last.
    pub fn set_dry(&self, dry: bool) {
        self.dry.store(dry, Ordering::Relaxed);
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
        Some(Slot { lane: self, lease: held.lease.clone(), nonce, used: false })
    }

    /// A nonce that was returned, is not wanted by anybody, and holds up transactions above it.
    pub fn gap(&self) -> Option<Slot<'_>> {
        self.gap_older_than(GAP_AFTER)
    }

    #[cfg(test)]
    pub fn gap_now(&self) -> Option<Slot<'_>> {
        self.gap_older_than(Duration::ZERO)
    }

    fn gap_older_than(&self, age: Duration) -> Option<Slot<'_>> {
        let mut guard = self.held();
        let held = guard.as_mut()?;
        let (&nonce, &since) = held.returned.first_key_value()?;
        let holds_up = held.in_flight.last().is_some_and(|highest| *highest > nonce);
        if !holds_up || since.elapsed() < age {
            return None;
        }
        held.returned.remove(&nonce);
        Some(Slot { lane: self, lease: held.lease.clone(), nonce, used: false })
    }

    /// The transaction of that nonce is mined, or can never be.
    pub fn done(&self, nonce: u64) {
        if let Some(held) = self.held().as_mut() {
            held.in_flight.remove(&nonce);
        }
    }

    /// The node certainly has no transaction of that nonce.
    pub fn give_back(&self, nonce: u64) {
        if let Some(held) = self.held().as_mut() {
            held.in_flight.remove(&nonce);
            held.returned.insert(nonce, Instant::now());
        }
    }

    /// Somebody else has used the signer's account: what the chain has counted cannot be given out.
    pub fn catch_up(&self, account: Account) {
        if let Some(held) = self.held().as_mut() {
            held.returned.retain(|nonce, _| *nonce >= account.mined);
            held.next = held.next.max(account.pending);
        }
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
        Attempt::Own { signer: self.lane.signer(), account_nonce: self.nonce, raw: signed.raw.0.clone(), transaction: signed.hash }
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
            held.returned.insert(self.nonce, Instant::now());
        }
    }
}
