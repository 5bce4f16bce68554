//! The world state with its whole past: every value keeps its earlier versions, so that any block can be asked, and a
//! reorg is a truncation.

use std::collections::HashMap;
use std::convert::Infallible;

use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::DatabaseRef;
use revm::primitives::KECCAK_EMPTY;
use revm::state::{AccountInfo, EvmState};

use crate::block::Block;

/// What an account is besides its storage. Code is kept apart, by hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub balance: U256,
    pub nonce: u64,
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self { balance: U256::ZERO, nonce: 0, code_hash: KECCAK_EMPTY }
    }
}

/// A point in the state's past. Each transaction and each change by hand makes a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Revision(u64);

/// The versions of one value, oldest first, each with the revision that wrote it.
#[derive(Debug)]
struct History<T>(Vec<(Revision, T)>);

impl<T> Default for History<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> History<T> {
    fn at(&self, revision: Revision) -> Option<&T> {
        let newer = self.0.partition_point(|(written, _)| *written <= revision);
        self.0.get(newer.checked_sub(1)?).map(|(_, value)| value)
    }

    fn write(&mut self, revision: Revision, value: T) {
        self.0.push((revision, value));
    }

    fn forget_after(&mut self, revision: Revision) {
        self.0.truncate(self.0.partition_point(|(written, _)| *written <= revision));
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    revision: Revision,
    accounts: HashMap<Address, History<Account>>,
    slots: HashMap<(Address, U256), History<U256>>,
    codes: HashMap<B256, Bytecode>,
}

impl State {
    pub fn revision(&self) -> Revision {
        self.revision
    }

    pub fn account(&self, address: Address, revision: Revision) -> Account {
        self.accounts.get(&address).and_then(|history| history.at(revision)).cloned().unwrap_or_default()
    }

    pub fn slot(&self, address: Address, slot: U256, revision: Revision) -> U256 {
        self.slots.get(&(address, slot)).and_then(|history| history.at(revision)).copied().unwrap_or_default()
    }

    pub fn code(&self, address: Address, revision: Revision) -> Bytecode {
        self.codes.get(&self.account(address, revision).code_hash).cloned().unwrap_or_default()
    }

    /// Writes what a transaction changed.
    pub fn commit(&mut self, changes: EvmState) {
        self.step();
        for (address, changed) in changes {
            if !changed.is_touched() {
                continue;
            }
            if changed.is_selfdestructed() {
                // Since Cancun only an account made in this very transaction can vanish: it has no earlier storage.
                self.write_account(address, Account::default());
                continue;
            }
            for (slot, value) in changed.changed_storage_slots() {
                self.write_slot(address, *slot, value.present_value);
            }
            let AccountInfo { balance, nonce, code_hash, code, .. } = changed.info;
            if let Some(code) = code.filter(|code| !code.is_empty()) {
                self.codes.entry(code_hash).or_insert(code);
            }
            self.write_account(address, Account { balance, nonce, code_hash });
        }
    }

    /// Changes one account by hand.
    pub fn edit(&mut self, address: Address, change: impl FnOnce(&mut Account)) {
        let mut account = self.account(address, self.revision);
        self.step();
        change(&mut account);
        self.write_account(address, account);
    }

    pub fn set_code(&mut self, address: Address, code: Bytecode) {
        let code_hash = if code.is_empty() { KECCAK_EMPTY } else { code.hash_slow() };
        self.codes.insert(code_hash, code);
        self.edit(address, |account| account.code_hash = code_hash);
    }

    pub fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        self.step();
        self.write_slot(address, slot, value);
    }

    /// Forgets everything after `revision`.
    pub fn rewind(&mut self, revision: Revision) {
        self.accounts.values_mut().for_each(|history| history.forget_after(revision));
        self.slots.values_mut().for_each(|history| history.forget_after(revision));
        self.revision = revision;
    }

    fn step(&mut self) {
        self.revision.0 += 1;
    }

    fn write_account(&mut self, address: Address, account: Account) {
        self.accounts.entry(address).or_default().write(self.revision, account);
    }

    fn write_slot(&mut self, address: Address, slot: U256, value: U256) {
        self.slots.entry((address, slot)).or_default().write(self.revision, value);
    }
}

/// The state at one revision, as the EVM reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub state: &'a State,
    pub blocks: &'a [Block],
    pub revision: Revision,
}

impl DatabaseRef for View<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        let Account { balance, nonce, code_hash } = self.state.account(address, self.revision);
        Ok(Some(AccountInfo { balance, nonce, code_hash, code: None, ..AccountInfo::default() }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.codes.get(&code_hash).cloned().unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.state.slot(address, slot, self.revision))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        let block = usize::try_from(number).ok().and_then(|index| self.blocks.get(index));
        Ok(block.map(Block::hash).unwrap_or_default())
    }
}
