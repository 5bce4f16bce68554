//! A facilitator on a scripted chain.

use std::{path::Path, sync::Arc, time::Duration};

use alloy::signers::{SignerSync, local::PrivateKeySigner};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use ledger::{Claim, Claimed, Ledger, Record, State, Store};
use tokio::runtime::Handle;
use x402::{Asset, AssetId, Authorization, Clock, ExactPayload, Network, Scheme, Terms, Timestamp, eip712};

use super::scripted::{Scripted, receipt};
use crate::{
    Config, Facilitator, Finality, GasLimits, NetworkConfig, Outcome, SignerKey,
    chain::{AuthorizationUsed, Chain},
};

pub const TOKEN: Address = Address::repeat_byte(0x11);
pub const PAYEE: Address = Address::repeat_byte(0x22);
pub const NOW: u64 = 1_000;

pub struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

pub struct Rig {
    pub chain: Arc<Scripted>,
    pub ledger: Ledger,
    pub config: Config,
    pub facilitator: Facilitator,
}

pub fn memory() -> Arc<dyn Store> {
    store::open("sqlite::memory:", Path::new(".")).unwrap()
}

pub fn asset() -> Asset {
    let id = AssetId { network: Network::eip155(1), address: TOKEN };
    Asset { id, name: "USDC".into(), version: "2".into(), decimals: 6, usd: true, built_in: true }
}

pub fn separator() -> B256 {
    eip712::domain_separator("USDC", "2", 1, TOKEN)
}

pub fn signer_key() -> SignerKey {
    B256::repeat_byte(7).to_string().parse().unwrap()
}

pub fn start(config: &Config, chain: &Arc<Scripted>, ledger: &Ledger) -> Facilitator {
    let chains = [(Network::eip155(1), Arc::clone(chain) as Arc<dyn Chain>)].into();
    Facilitator::start_on(config.clone(), chains, ledger.clone(), Handle::current()).unwrap()
}

pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..2_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(memory(), change).await
    }

    pub async fn on(store: Arc<dyn Store>, change: impl FnOnce(&mut Config)) -> Self {
        let chain = Scripted::new(separator());
        let network = NetworkConfig {
            network: Network::eip155(1),
            rpc: Vec::new(),
            signers: vec![signer_key()],
            finality: Finality::default(),
            assets: vec![asset()],
            factories: Vec::new(),
            gas: GasLimits::default(),
        };
        let mut config = Config { networks: vec![network], remotes: Vec::new(), settle_within: Duration::from_secs(20) };
        change(&mut config);
        let worker = store.enter_worker(Timestamp(NOW)).await.unwrap();
        let ledger = Ledger::new(store, Arc::new(Fixed), worker);
        let facilitator = start(&config, &chain, &ledger);
        let rig = Self { chain, ledger, config, facilitator };
        rig.ready().await;
        rig
    }

    pub async fn ready(&self) {
        until("ready", async || self.facilitator.readiness(&Network::eip155(1)).is_ready()).await;
    }

    pub async fn claim(&self, nonce: u8) -> Claimed {
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(5)).unwrap();
        let authorization = Authorization {
            from: key.address(),
            to: PAYEE,
            value: U256::from(10_000),
            valid_after: U256::ZERO,
            valid_before: U256::from(NOW + 100),
            nonce: B256::repeat_byte(nonce),
        };
        let terms = Terms { scheme: Scheme::Exact, asset: asset().id, pay_to: PAYEE, amount: authorization.value, max_timeout_seconds: 60 };
        let digest = eip712::transfer_digest(&separator(), &authorization);
        let signature = key.sign_hash_sync(&digest).unwrap().as_bytes().into();
        let payment = self.facilitator.authenticate(&ExactPayload { signature, authorization }, &asset().id).unwrap();
        let verification = self.facilitator.verify(payment, terms, 5).await.unwrap();
        match self.ledger.claim(verification.verified, None, verification.head_block).await.unwrap() {
            Claim::New(claimed) => claimed,
            Claim::Known(record) => panic!("known: {record:?}"),
        }
    }

    /// Settles in the background.
    pub async fn settling(&self, nonce: u8) -> (Record, tokio::task::JoinHandle<Outcome>) {
        let claimed = self.claim(nonce).await;
        let (record, facilitator) = (claimed.record().clone(), self.facilitator.clone());
        (record, tokio::spawn(async move { facilitator.settle(claimed).await }))
    }

    pub async fn state(&self, record: &Record) -> State {
        self.ledger.recall(record.id).await.unwrap().unwrap().state
    }

    /// The transaction is mined, by whoever sent it, in block 101.
    pub fn mine(&self, transaction: B256, record: &Record) {
        let receipt = receipt(transaction, TOKEN, record.key.payer, record.key.nonce, PAYEE, record.amount);
        self.chain.say(|script| {
            script.receipts.insert(transaction, receipt);
            script.logs.entry(AuthorizationUsed::SIGNATURE_HASH).or_default().push(transaction);
            script.height = 101;
            script.row.nonce_used = true;
        });
    }
}

pub fn settled_by(outcome: Outcome) -> B256 {
    match outcome {
        Outcome::Settled(settled) => settled.settlement().transaction,
        other => panic!("not settled: {other:?}"),
    }
}
