//! Changes to the state by hand. They belong to the newest block's state.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use revm::context::TxEnv;
use revm::context::result::ResultAndState;

use super::{Chain, GAS_LIMIT};
use crate::block::environment;
use crate::evm::{self, bytecode};
use crate::state::View;

impl Chain {
    pub fn set_balance(&mut self, address: Address, balance: U256) {
        self.state.edit(address, |account| account.balance = balance);
        self.adopt_edits();
    }

    pub fn set_nonce(&mut self, address: Address, nonce: u64) {
        self.state.edit(address, |account| account.nonce = nonce);
        self.adopt_edits();
    }

    pub fn set_code(&mut self, address: Address, code: Bytes) {
        self.state.set_code(address, bytecode(code));
        self.adopt_edits();
    }

    pub fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        self.state.set_slot(address, slot, value);
        self.adopt_edits();
    }

    /// Makes a call count without a transaction: for what was there before the chain began.
    pub fn set_by_call(&mut self, from: Address, to: Address, data: Bytes) -> bool {
        let transaction = TxEnv {
            caller: from,
            kind: TxKind::Call(to),
            data,
            gas_limit: GAS_LIMIT,
            nonce: self.next_nonce(from),
            chain_id: None,
            ..TxEnv::default()
        };
        let mut header = self.tip().header().clone();
        header.base_fee_per_gas = Some(0);
        let view = View { state: &self.state, blocks: &self.blocks, revision: self.state.revision() };
        let Ok(ResultAndState { result, mut state }) = evm::execute(view, self.chain_id, environment(&header), transaction) else {
            return false;
        };
        // Nobody sent it: the caller's nonce stays as it was.
        state.remove(&from);
        self.state.commit(state);
        self.adopt_edits();
        result.is_success()
    }

    /// Makes what was changed part of the newest block's state.
    pub(super) fn adopt_edits(&mut self) {
        let revision = self.state.revision();
        if let Some(tip) = self.blocks.last_mut() {
            tip.revision = revision;
        }
    }
}
