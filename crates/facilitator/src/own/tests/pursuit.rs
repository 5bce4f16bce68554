//! Settling on a chain that lies, lags and forgets.

use std::{path::Path, sync::Arc, time::Duration};

use alloy::{
    consensus::Transaction,
    signers::{SignerSync, local::PrivateKeySigner},
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use ledger::{Claim, Claimed, Ledger, Record, State};
use tokio::{runtime::Handle, sync::Notify};
use x402::{Asset, AssetId, Authorization, Clock, ExactPayload, Network, Reason, Scheme, Terms, Timestamp, eip712};

use super::scripted::{Scripted, receipt};
use crate::{
    Config, Facilitator, Finality, GasLimits, NetworkConfig, Outcome, Readiness, Refusal, SignerKey,
    chain::{AuthorizationCanceled, AuthorizationUsed, Broadcast, Chain, Refused},
};

const TOKEN: Address = Address::repeat_byte(0x11);
const PAYEE: Address = Address::repeat_byte(0x22);
const NOW: u64 = 1_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

struct Rig {
    chain: Arc<Scripted>,
    ledger: Ledger,
    config: Config,
    facilitator: Facilitator,
}

fn asset() -> Asset {
    let id = AssetId { network: Network::eip155(1), address: TOKEN };
    Asset { id, name: "USDC".into(), version: "2".into(), decimals: 6, usd: true, built_in: true }
}

fn separator() -> B256 {
    eip712::domain_separator("USDC", "2", 1, TOKEN)
}

fn signer_key() -> SignerKey {
    B256::repeat_byte(7).to_string().parse().unwrap()
}

fn start(config: &Config, chain: &Arc<Scripted>, ledger: &Ledger) -> Facilitator {
    let chains = [(Network::eip155(1), Arc::clone(chain) as Arc<dyn Chain>)].into();
    Facilitator::start_on(config.clone(), chains, ledger.clone(), Handle::current()).unwrap()
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..2_000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
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
        let store = store::open("sqlite::memory:", Path::new(".")).unwrap();
        let worker = store.enter_worker(Timestamp(NOW)).await.unwrap();
        let ledger = Ledger::new(store, Arc::new(Fixed), worker);
        let facilitator = start(&config, &chain, &ledger);
        let rig = Self { chain, ledger, config, facilitator };
        rig.ready().await;
        rig
    }

    async fn ready(&self) {
        until("ready", async || self.facilitator.readiness(&Network::eip155(1)).is_ready()).await;
    }

    async fn claim(&self, nonce: u8) -> Claimed {
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
    async fn settling(&self, nonce: u8) -> (Record, tokio::task::JoinHandle<Outcome>) {
        let claimed = self.claim(nonce).await;
        let (record, facilitator) = (claimed.record().clone(), self.facilitator.clone());
        (record, tokio::spawn(async move { facilitator.settle(claimed).await }))
    }

    async fn state(&self, record: &Record) -> State {
        self.ledger.recall(record.id).await.unwrap().unwrap().state
    }

    /// The transaction is mined, by whoever sent it, in block 101.
    fn mine(&self, transaction: B256, record: &Record) {
        let receipt = receipt(transaction, TOKEN, record.key.payer, record.key.nonce, PAYEE, record.amount);
        self.chain.say(|script| {
            script.receipts.insert(transaction, receipt);
            script.logs.entry(AuthorizationUsed::SIGNATURE_HASH).or_default().push(transaction);
            script.height = 101;
            script.row.nonce_used = true;
        });
    }
}

fn settled_by(outcome: Outcome) -> B256 {
    match outcome {
        Outcome::Settled(settled) => settled.settlement().transaction,
        other => panic!("not settled: {other:?}"),
    }
}

#[tokio::test]
async fn a_null_receipt_is_no_failure() {
    let rig = Rig::new().await;
    let (record, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    // The node has mined it and says null for a while: the nonce is used, and no log is told.
    rig.chain.say(|script| {
        script.row.nonce_used = true;
        script.height = 101;
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.state(&record).await, State::Submitted);
    rig.mine(hash, &record);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
}

#[tokio::test]
async fn facts_older_than_the_receipt_do_not_fail_a_payment() {
    let rig = Rig::new().await;
    let (record, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    let foreign = B256::repeat_byte(0xf0);
    // Ours reverted, because a stranger's came first; this node's state and logs are a block behind.
    rig.chain.say(|script| {
        let mut ours = receipt(hash, TOKEN, record.key.payer, record.key.nonce, PAYEE, record.amount);
        ours.succeeded = false;
        ours.logs.clear();
        script.receipts.insert(hash, ours);
        script.height = 101;
        script.facts_at = Some(100);
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.state(&record).await, State::Submitted);
    rig.mine(foreign, &record);
    rig.chain.say(|script| script.facts_at = None);
    assert_eq!(settled_by(settling.await.unwrap()), foreign);
}

#[tokio::test]
async fn a_strangers_transaction_before_the_claim_does_not_count() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    let record = claimed.record().clone();
    let old = B256::repeat_byte(0xf0);
    rig.mine(old, &record);
    rig.chain.say(|script| {
        script.receipts.get_mut(&old).unwrap().block_number = record.claimed_block;
        script.simulation = crate::chain::Simulation::Reverts { why: "used".into() };
    });
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Released);
    assert!(rig.chain.nonces().is_empty());
}

#[tokio::test]
async fn a_cancellation_before_sending_is_refused_for_good() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    rig.chain.say(|script| {
        script.row.nonce_used = true;
        script.logs.insert(AuthorizationCanceled::SIGNATURE_HASH, vec![B256::repeat_byte(0xf0)]);
        script.simulation = crate::chain::Simulation::Reverts { why: "used".into() };
    });
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::AuthorizationUsed, .. }), "{outcome:?}");
}

#[tokio::test]
async fn one_log_settles_one_payment() {
    let rig = Rig::new().await;
    let (first, settling) = rig.settling(1).await;
    let hash = rig.chain.sent().await;
    rig.mine(hash, &first);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
    // A second payment whose receipt holds the same transfer, in the same transaction, at the same place.
    rig.chain.say(|script| script.row.nonce_used = false);
    let (second, settling) = rig.settling(2).await;
    until("sent", async || rig.chain.nonces().len() == 2).await;
    let own = rig.chain.say(|script| *script.sent[1].tx_hash());
    rig.chain.say(|script| {
        let mut twin = receipt(hash, TOKEN, second.key.payer, second.key.nonce, PAYEE, second.amount);
        twin.transaction = hash;
        script.receipts.insert(own, twin);
        script.row.nonce_used = true;
    });
    let outcome = settling.await.unwrap();
    assert!(matches!(outcome, Outcome::Failed { reason: Reason::TransactionState, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_refused_nonce_below_others_is_filled() {
    let rig = Rig::new().await;
    let hold = Arc::new(Notify::new());
    *rig.chain.hold_first.lock().unwrap() = Some(Arc::clone(&hold));
    let refusal = Broadcast::Refused(Refused::Other { why: "underpriced".into() });
    rig.chain.say(|script| drop(script.broadcasts.insert(0, vec![refusal])));
    let (_, first) = rig.settling(1).await;
    until("the first has its nonce", async || rig.ledger.unfinished().await.unwrap().len() == 1).await;
    let (second, _settling) = rig.settling(2).await;
    until("the second is sent", async || rig.chain.nonces() == [1]).await;
    *rig.chain.hold_first.lock().unwrap() = None;
    hold.notify_one();
    let outcome = first.await.unwrap();
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    until("the gap is filled", async || rig.chain.nonces() == [1, 0]).await;
    let filler = rig.chain.say(|script| script.sent[1].clone());
    assert_eq!((filler.to(), filler.value()), (Some(signer_key().address()), U256::ZERO));
    assert_eq!(rig.state(&second).await, State::Submitted);
}

#[tokio::test]
async fn a_nonce_that_is_used_by_ourselves_is_watched() {
    let rig = Rig::new().await;
    let low = Broadcast::Refused(Refused::NonceUsed { why: "nonce too low".into() });
    rig.chain.say(|script| drop(script.broadcasts.insert(0, vec![low])));
    let (record, settling) = rig.settling(1).await;
    // The node knows the very transaction it calls too low: it was mined.
    until("written", async || rig.state(&record).await == State::Submitted).await;
    let hash = rig.ledger.recall(record.id).await.unwrap().unwrap().transaction().unwrap();
    rig.mine(hash, &record);
    assert_eq!(settled_by(settling.await.unwrap()), hash);
}

#[tokio::test]
async fn a_signer_is_one_processs_at_a_time() {
    let rig = Rig::new().await;
    let worker = rig.ledger.store().enter_worker(Timestamp(NOW)).await.unwrap();
    let other = Ledger::new(Arc::clone(rig.ledger.store()), Arc::new(Fixed), worker);
    let second = start(&rig.config, &rig.chain, &other);
    until(
        "the second waits",
        async || matches!(second.readiness(&Network::eip155(1)), Readiness::NotReady { why } if why.contains("is held by process")),
    )
    .await;
    rig.facilitator.shutdown().await;
    until("the second takes over", async || second.readiness(&Network::eip155(1)).is_ready()).await;
}

#[tokio::test]
async fn a_lost_lane_sends_nothing() {
    let rig = Rig::new().await;
    // Behind our back the lane is given to a newer epoch.
    let worker = rig.ledger.worker();
    drop(rig.ledger.store().hold_lane(&Network::eip155(1), signer_key().address(), worker, Timestamp(NOW)).await.unwrap());
    let claimed = rig.claim(1).await;
    let record = claimed.record().clone();
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(&outcome, Outcome::Unavailable { why, .. } if why.contains("lane")), "{outcome:?}");
    assert_eq!(rig.state(&record).await, State::Released);
    assert!(rig.chain.nonces().is_empty());
}

#[tokio::test]
async fn a_chain_that_is_down_is_no_refusal_of_the_payer() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    rig.chain.say(|script| script.down = true);
    let outcome = rig.facilitator.settle(claimed).await;
    assert!(matches!(&outcome, Outcome::Unavailable { record: Some(record), .. } if record.state == State::Released), "{outcome:?}");
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused() {
    let rig = Rig::new().await;
    let refused = |change: fn(&mut Config)| {
        let mut config = rig.config.clone();
        change(&mut config);
        Facilitator::start(config, rig.ledger.clone(), Handle::current()).err().unwrap().to_string()
    };
    assert!(refused(|_| {}).contains("no RPC endpoint"));
    assert!(refused(|config| config.networks[0].rpc = vec!["ftp://x".into()]).contains("ftp://x"));
    assert!(refused(|config| config.networks[0].network = Network::parse("solana:x").unwrap()).contains("eip155"));
    assert!(refused(|config| config.networks.push(config.networks[0].clone())).contains("twice"));
    let no_signer = |config: &mut Config| {
        config.networks[0].rpc = vec!["http://127.0.0.1:1".into()];
        config.networks[0].signers.clear();
    };
    assert!(refused(no_signer).contains("no signer"));
    assert!("0x12".parse::<SignerKey>().is_err());
    assert!(!format!("{:?}", signer_key()).contains("0707"));
}

#[tokio::test]
async fn an_authorization_is_verified_on_its_own_network_only() {
    let rig = Rig::new().await;
    let claimed = rig.claim(1).await;
    let payment = {
        let record = claimed.record();
        let authorization = Authorization {
            from: record.key.payer,
            to: record.pay_to,
            value: record.amount,
            valid_after: record.valid_after,
            valid_before: record.valid_before,
            nonce: record.key.nonce,
        };
        let payload = ExactPayload { signature: record.signature.clone().into(), authorization };
        rig.facilitator.authenticate(&payload, &asset().id).unwrap()
    };
    let mut terms = Terms { scheme: Scheme::Exact, asset: asset().id, pay_to: PAYEE, amount: U256::from(10_000), max_timeout_seconds: 60 };
    terms.asset.address = Address::repeat_byte(0x33);
    assert_eq!(rig.facilitator.verify(payment, terms, 5).await.unwrap_err(), Refusal::Invalid(Reason::Requirements));
}
