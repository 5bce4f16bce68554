//! The chain itself: state, blocks, pool and time under one roof. Nothing here knows of JSON or sockets.

mod edits;

use std::collections::HashMap;

use alloy::consensus::{Header, Transaction as _};
use alloy::eips::BlockNumberOrTag;
use alloy::eips::eip1559::BaseFeeParams;
use alloy_primitives::{Address, B256, TxKind, U256, address, keccak256};
use revm::bytecode::Bytecode;
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::context_interface::transaction::TransactionType;
use serde::Deserialize;

use crate::admission::{check, decode};
use crate::block::{Block, Executed, SignedTransaction, blank_header, environment};
use crate::clock::Clock;
use crate::evm;
use crate::faults::{Faults, take_one};
use crate::pool::{Pool, Refusal};
use crate::state::{Account, Revision, State, View};

/// The block gas limit.
pub(crate) const GAS_LIMIT: u64 = 60_000_000;

/// What the chain suggests as a tip, in wei per gas.
pub(crate) const SUGGESTED_TIP: u128 = 1_000_000;

/// Takes every call and reverts: where transactions are sent that a fault lets revert.
const REVERTER: Address = address!("0x000000000000000000000000000000000000dEaD");
/// `PUSH0 PUSH0 REVERT`
const REVERTER_CODE: &[u8] = &[0x5f, 0x5f, 0xfd];

/// Receives the fees.
const BENEFICIARY: Address = address!("0x4200000000000000000000000000000000000011");

/// What becomes of the transactions in blocks that a reorg removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orphans {
    /// They are gone, as if nobody had sent them.
    Dropped,
    /// They wait in the pool again; the next block that is mined takes them up.
    Pooled,
}

/// A command that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("a reorg of {depth} blocks is deeper than the chain of {height}")]
    TooDeep { depth: u64, height: u64 },
    #[error("timestamp {timestamp} lies before the head's {head}")]
    TimeBackwards { timestamp: u64, head: u64 },
    #[error("no snapshot {0}")]
    NoSnapshot(u64),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

#[derive(Debug)]
struct Snapshot {
    height: usize,
    revision: Revision,
    pool: Pool,
    clock: Clock,
}

/// Which transactions a block takes.
#[derive(Debug)]
enum Selection {
    /// As many from the pool as fit.
    Ready,
    /// These alone, whatever waits.
    Only(Vec<SignedTransaction>),
    None,
}

#[derive(Debug)]
pub(crate) struct Chain {
    pub chain_id: u64,
    pub faults: Faults,
    pub clock: Clock,
    pub automine: bool,
    state: State,
    blocks: Vec<Block>,
    /// Where each mined transaction is: block number and index.
    mined: HashMap<B256, (u64, usize)>,
    pool: Pool,
    snapshots: Vec<Snapshot>,
    min_base_fee: u64,
    /// Overrides the next block's base fee.
    next_base_fee: Option<u64>,
    /// How often blocks were replaced, so that a block in another's place has another hash.
    forks: u64,
}

impl Chain {
    /// A chain of one empty block, in which nobody has anything.
    pub fn new(chain_id: u64, min_base_fee: u64) -> Self {
        let mut chain = Self {
            chain_id,
            faults: Faults::default(),
            clock: Clock::default(),
            automine: true,
            state: State::default(),
            blocks: Vec::new(),
            mined: HashMap::new(),
            pool: Pool::default(),
            snapshots: Vec::new(),
            min_base_fee,
            next_base_fee: None,
            forks: 0,
        };
        chain.state.set_code(REVERTER, evm::bytecode(REVERTER_CODE.into()));
        let mut genesis = blank_header();
        genesis.timestamp = chain.clock.tick(0);
        genesis.gas_limit = GAS_LIMIT;
        genesis.base_fee_per_gas = Some(min_base_fee);
        genesis.mix_hash = keccak256(chain_id.to_be_bytes());
        chain.blocks.push(Block::seal(genesis, Vec::new(), chain.state.revision()));
        chain
    }

    // What is there.

    /// The blocks that are visible: all of them, unless the head is told to be stale.
    pub fn blocks(&self) -> &[Block] {
        let hidden = usize::try_from(self.faults.stale_head).unwrap_or(usize::MAX);
        let visible = self.blocks.len().saturating_sub(hidden).max(1);
        self.blocks.get(..visible).unwrap_or_default()
    }

    /// The newest visible block.
    #[expect(clippy::expect_used, reason = "the chain starts with a block, and no command removes it")]
    pub fn head(&self) -> &Block {
        self.blocks().last().expect("a genesis block")
    }

    #[expect(clippy::expect_used, reason = "the chain starts with a block, and no command removes it")]
    fn tip(&self) -> &Block {
        self.blocks.last().expect("a genesis block")
    }

    /// The block of that number or tag; `pending` is the head here. `safe` and `finalized` lag by two and four blocks.
    pub fn block(&self, number: BlockNumberOrTag) -> Option<&Block> {
        let head = self.head().number();
        let number = match number {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => head,
            BlockNumberOrTag::Safe => head.saturating_sub(2),
            BlockNumberOrTag::Finalized => head.saturating_sub(4),
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Number(number) => number,
        };
        self.blocks().get(usize::try_from(number).ok()?)
    }

    pub fn block_by_hash(&self, hash: B256) -> Option<&Block> {
        self.blocks().iter().rev().find(|block| block.hash() == hash)
    }

    /// The block of a mined transaction, and its place there.
    pub fn mined(&self, hash: &B256) -> Option<(&Block, usize)> {
        let (number, index) = self.mined.get(hash)?;
        Some((self.block(BlockNumberOrTag::Number(*number))?, *index))
    }

    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    pub fn view(&self, block: &Block) -> View<'_> {
        View { state: &self.state, blocks: &self.blocks, revision: block.revision }
    }

    pub fn account(&self, address: Address, block: &Block) -> Account {
        self.state.account(address, block.revision)
    }

    pub fn code(&self, address: Address, block: &Block) -> Bytecode {
        self.state.code(address, block.revision)
    }

    pub fn slot(&self, address: Address, slot: U256, block: &Block) -> U256 {
        self.state.slot(address, slot, block.revision)
    }

    pub fn next_nonce(&self, address: Address) -> u64 {
        self.state.account(address, self.state.revision()).nonce
    }

    /// The next nonce of `address` with all that waits in the pool.
    pub fn pending_nonce(&self, address: Address) -> u64 {
        self.pool.pending_nonce(address, self.next_nonce(address))
    }

    /// How many wait for a block, and how many for an earlier nonce.
    pub fn pool_status(&self) -> (usize, usize) {
        self.pool.status(|sender| self.next_nonce(sender))
    }

    /// The header of the block that would come now.
    pub fn next_header(&self, timestamp: u64) -> Header {
        let parent = self.tip();
        Header {
            parent_hash: parent.hash(),
            number: parent.number() + 1,
            timestamp,
            gas_limit: GAS_LIMIT,
            base_fee_per_gas: Some(self.next_base_fee()),
            beneficiary: BENEFICIARY,
            mix_hash: keccak256([parent.hash().as_slice(), &self.forks.to_be_bytes()].concat()),
            ..blank_header()
        }
    }

    /// EIP-1559, but never under the least base fee, as on the rollups that this chain stands for.
    pub fn next_base_fee(&self) -> u64 {
        let computed = || self.tip().header().next_block_base_fee(BaseFeeParams::ethereum()).unwrap_or_default();
        self.next_base_fee.unwrap_or_else(|| computed().max(self.min_base_fee))
    }

    // Transactions.

    /// Takes a signed transaction into the pool, and mines it at once where blocks are made on demand.
    pub fn submit(&mut self, encoded: &[u8]) -> Result<B256, Refusal> {
        let transaction = decode(encoded)?;
        check(&transaction, self.chain_id)?;
        let account = self.state.account(transaction.signer(), self.state.revision());
        let hash = self.pool.add(transaction, &account)?;
        if self.automine {
            self.mine_ready();
        }
        Ok(hash)
    }

    /// Takes a waiting transaction out of the pool, as a node does that runs out of room.
    pub fn evict(&mut self, hash: &B256) -> bool {
        self.pool.remove(hash).is_some()
    }

    // Blocks.

    /// Mines one block of all that can be mined, be it empty.
    pub fn mine(&mut self) -> &Block {
        self.produce(Selection::Ready)
    }

    /// Mines blocks as long as the pool has something for them.
    pub fn mine_ready(&mut self) {
        while self.pool.next(|sender| self.next_nonce(sender), self.next_base_fee(), GAS_LIMIT).is_some() {
            self.produce(Selection::Ready);
        }
    }

    /// Mines one block of this transaction alone; what waits keeps waiting.
    pub fn mine_only(&mut self, transaction: SignedTransaction) -> &Block {
        self.produce(Selection::Only(vec![transaction]))
    }

    fn produce(&mut self, selection: Selection) -> &Block {
        let timestamp = self.clock.tick(self.tip().header().timestamp);
        let mut header = self.next_header(timestamp);
        self.next_base_fee = None;
        let executed = match selection {
            Selection::None => Vec::new(),
            Selection::Only(transactions) => {
                transactions.into_iter().filter_map(|transaction| self.execute(&header, transaction)).collect()
            }
            Selection::Ready => self.execute_ready(&header),
        };
        header.state_root = keccak256([header.mix_hash.as_slice(), &header.number.to_be_bytes()].concat());
        let block = Block::seal(header, executed, self.state.revision());
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.mined.insert(*transaction.tx_hash(), (block.number(), index));
        }
        self.blocks.push(block);
        self.tip()
    }

    fn execute_ready(&mut self, header: &Header) -> Vec<Executed> {
        let base_fee = header.base_fee_per_gas.unwrap_or_default();
        let mut gas_left = header.gas_limit;
        let mut executed: Vec<Executed> = Vec::new();
        while let Some(next) = self.pool.next(|sender| self.next_nonce(sender), base_fee, gas_left) {
            let (hash, next) = (*next.tx_hash(), next.clone());
            self.pool.remove(&hash);
            if let Some(done) = self.execute(header, next) {
                gas_left = gas_left.saturating_sub(done.gas_used);
                executed.push(done);
            }
        }
        executed
    }

    /// Executes a transaction and commits what it changed. None where it turns out to be invalid: then it is dropped.
    fn execute(&mut self, header: &Header, transaction: SignedTransaction) -> Option<Executed> {
        let mut environment_of_transaction = evm::signed_transaction(&transaction);
        if take_one(&mut self.faults.revert_next) {
            divert(&mut environment_of_transaction);
        }
        let view = View { state: &self.state, blocks: &self.blocks, revision: self.state.revision() };
        let outcome = evm::execute(view, self.chain_id, environment(header), environment_of_transaction);
        let ResultAndState { result, state } =
            outcome.inspect_err(|error| tracing::debug!(hash = %transaction.tx_hash(), %error, "transaction dropped")).ok()?;
        self.state.commit(state);
        self.pool.forget_before(transaction.signer(), transaction.nonce() + 1);
        Some(Executed {
            success: result.is_success(),
            gas_used: result.tx_gas_used(),
            created: created(&transaction, &result),
            logs: if result.is_success() { result.into_logs() } else { Vec::new() },
            transaction,
        })
    }

    /// Replaces the last `depth` blocks with as many empty ones.
    pub fn reorg(&mut self, depth: u64, orphans: Orphans) -> Result<(), CommandError> {
        let height = self.tip().number();
        if depth > height {
            return Err(CommandError::TooDeep { depth, height });
        }
        let kept = usize::try_from(height - depth).unwrap_or_default() + 1;
        let removed = self.truncate(kept);
        if orphans == Orphans::Pooled {
            for transaction in removed.into_iter().flat_map(|block| block.transactions) {
                self.pool.insert(transaction);
            }
        }
        self.forks += 1;
        for _ in 0..depth {
            self.produce(Selection::None);
        }
        Ok(())
    }

    fn truncate(&mut self, kept: usize) -> Vec<Block> {
        let removed = self.blocks.split_off(kept.max(1));
        for transaction in removed.iter().flat_map(|block| &block.transactions) {
            self.mined.remove(transaction.tx_hash());
        }
        self.state.rewind(self.tip().revision);
        removed
    }

    // Time.

    pub fn set_next_timestamp(&mut self, timestamp: u64) -> Result<(), CommandError> {
        let head = self.tip().header().timestamp;
        if timestamp < head {
            return Err(CommandError::TimeBackwards { timestamp, head });
        }
        self.clock.set_next(timestamp);
        Ok(())
    }

    pub fn set_next_base_fee(&mut self, base_fee: u64) {
        self.next_base_fee = Some(base_fee);
    }

    // Snapshots.

    pub fn snapshot(&mut self) -> u64 {
        self.snapshots.push(Snapshot {
            height: self.blocks.len(),
            revision: self.state.revision(),
            pool: self.pool.clone(),
            clock: self.clock,
        });
        self.snapshots.len() as u64
    }

    /// Goes back to a snapshot, which is used up, and so are all later ones.
    pub fn revert(&mut self, id: u64) -> Result<(), CommandError> {
        let index = usize::try_from(id).ok().and_then(|id| id.checked_sub(1));
        let Some(index) = index.filter(|index| *index < self.snapshots.len()) else {
            return Err(CommandError::NoSnapshot(id));
        };
        let later = self.snapshots.split_off(index);
        if let Some(snapshot) = later.into_iter().next() {
            self.truncate(snapshot.height);
            self.state.rewind(snapshot.revision);
            self.pool = snapshot.pool;
            self.clock = snapshot.clock;
            self.forks += 1;
            self.adopt_edits();
        }
        Ok(())
    }
}

/// Sends a transaction where everything reverts. What it costs to send stays the same.
fn divert(transaction: &mut TxEnv) {
    transaction.kind = TxKind::Call(REVERTER);
    if transaction.tx_type == TransactionType::Eip7702 as u8 {
        transaction.authorization_list.clear();
        transaction.tx_type = TransactionType::Eip1559 as u8;
    }
}

fn created(transaction: &SignedTransaction, result: &ExecutionResult) -> Option<Address> {
    // A receipt names the address also where the creation failed.
    let create = transaction.kind().is_create();
    create.then(|| result.created_address().unwrap_or_else(|| transaction.signer().create(transaction.nonce())))
}
