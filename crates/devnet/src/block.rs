//! Mined blocks, and how executed transactions become one.

use alloy::consensus::transaction::{Recovered, TransactionInfo};
use alloy::consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, Header, Receipt, ReceiptEnvelope, Sealable, Sealed, Transaction as _, TxEnvelope,
    constants::EMPTY_WITHDRAWALS, proofs,
};
use alloy::eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy::rpc::types::{self as rpc, BlockTransactions, TransactionReceipt};
use alloy_primitives::{Address, B256, Bloom, Log, U256};
use revm::context::BlockEnv;
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::primitives::hardfork::SpecId;

use crate::state::Revision;

/// A transaction with its signer.
pub(crate) type SignedTransaction = Recovered<TxEnvelope>;

/// A transaction after its execution, before its block has a hash.
#[derive(Debug)]
pub(crate) struct Executed {
    pub transaction: SignedTransaction,
    pub success: bool,
    pub gas_used: u64,
    pub logs: Vec<Log>,
    pub created: Option<Address>,
}

#[derive(Debug)]
pub(crate) struct Block {
    header: Sealed<Header>,
    pub transactions: Vec<SignedTransaction>,
    pub receipts: Vec<TransactionReceipt>,
    /// The state after this block, with what was changed by hand since.
    pub revision: Revision,
}

impl Block {
    /// Seals a block. `header` needs what is known before execution: parent, number, time, gas limit, base fee, randomness.
    pub fn seal(mut header: Header, executed: Vec<Executed>, revision: Revision) -> Self {
        let mut cumulative = 0;
        let envelopes: Vec<ReceiptEnvelope<Log>> = executed
            .iter()
            .map(|transaction| {
                cumulative += transaction.gas_used;
                envelope(transaction, cumulative)
            })
            .collect();
        let transactions: Vec<_> = executed.iter().map(|executed| executed.transaction.inner().clone()).collect();
        header.gas_used = cumulative;
        header.transactions_root = proofs::calculate_transaction_root(&transactions);
        header.receipts_root = proofs::calculate_receipt_root(&envelopes);
        header.logs_bloom = envelopes.iter().fold(Bloom::ZERO, |bloom, envelope| bloom | *envelope.logs_bloom());
        let header = header.seal_slow();
        let receipts = receipts(&header, &executed, envelopes);
        let transactions = executed.into_iter().map(|executed| executed.transaction).collect();
        Self { header, transactions, receipts, revision }
    }

    pub fn header(&self) -> &Header {
        self.header.inner()
    }

    pub fn hash(&self) -> B256 {
        self.header.seal()
    }

    pub fn number(&self) -> u64 {
        self.header().number
    }

    /// The block as `eth_getBlockBy…` shows it.
    pub fn to_rpc(&self, full: bool) -> rpc::Block {
        let header = rpc::Header::from_consensus(self.header.clone(), None, Some(U256::from(self.size())));
        let transactions = if full {
            BlockTransactions::Full((0..self.transactions.len()).filter_map(|index| self.transaction(index)).collect())
        } else {
            BlockTransactions::Hashes(self.transactions.iter().map(|transaction| *transaction.tx_hash()).collect())
        };
        rpc::Block { header, uncles: Vec::new(), transactions, withdrawals: Some(Default::default()) }
    }

    /// One of its transactions as `eth_getTransactionByHash` shows it.
    pub fn transaction(&self, index: usize) -> Option<rpc::Transaction> {
        let transaction = self.transactions.get(index)?;
        let info = TransactionInfo {
            hash: Some(*transaction.tx_hash()),
            index: Some(index as u64),
            block_hash: Some(self.hash()),
            block_number: Some(self.number()),
            base_fee: self.header().base_fee_per_gas,
            block_timestamp: Some(self.header().timestamp),
        };
        Some(rpc::Transaction::from_transaction(transaction.clone(), info))
    }

    /// An estimate of the encoded size in bytes: clients show it, none depends on it.
    fn size(&self) -> usize {
        600 + self.transactions.iter().map(|transaction| 200 + transaction.input().len()).sum::<usize>()
    }
}

/// What of a header is the same in every block of a chain without proof of work and withdrawals.
pub(crate) fn blank_header() -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

/// The surroundings that a header gives to what is executed under it.
pub(crate) fn environment(header: &Header) -> BlockEnv {
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        prevrandao: Some(header.mix_hash),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new_with_spec(0, SpecId::PRAGUE)),
        ..BlockEnv::default()
    }
}

fn envelope(executed: &Executed, cumulative_gas_used: u64) -> ReceiptEnvelope<Log> {
    let receipt = Receipt { status: Eip658Value::Eip658(executed.success), cumulative_gas_used, logs: executed.logs.clone() };
    ReceiptEnvelope::from_typed(executed.transaction.tx_type(), receipt.with_bloom())
}

fn receipts(header: &Sealed<Header>, executed: &[Executed], envelopes: Vec<ReceiptEnvelope<Log>>) -> Vec<TransactionReceipt> {
    let base_fee = header.base_fee_per_gas;
    let mut log_index = 0..;
    let mut receipts = Vec::with_capacity(executed.len());
    for (index, (executed, envelope)) in executed.iter().zip(envelopes).enumerate() {
        let transaction = executed.transaction.inner();
        let inner = envelope.map_logs(|log| rpc::Log {
            inner: log,
            block_hash: Some(header.seal()),
            block_number: Some(header.number),
            block_timestamp: Some(header.timestamp),
            transaction_hash: Some(*transaction.tx_hash()),
            transaction_index: Some(index as u64),
            log_index: log_index.next(),
            removed: false,
        });
        receipts.push(TransactionReceipt {
            inner,
            transaction_hash: *transaction.tx_hash(),
            transaction_index: Some(index as u64),
            block_hash: Some(header.seal()),
            block_number: Some(header.number),
            gas_used: executed.gas_used,
            effective_gas_price: transaction.effective_gas_price(base_fee),
            blob_gas_used: None,
            blob_gas_price: None,
            from: executed.transaction.signer(),
            to: transaction.to(),
            contract_address: executed.created,
        });
    }
    receipts
}
