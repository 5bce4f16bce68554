#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy::signers::{SignerSync, local::PrivateKeySigner};
use ledger::{Attempt, Claim, Ledger, State};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Handle};
use x402::{Address, Asset, AssetId, Authorization, B256, Clock, ExactPayload, Network, Reason, Scheme, SystemClock, Terms, U256, eip712};

use super::wire::{self, Ask, Trouble};
use crate::{Config, Facilitator, Finality, GasLimits, NetworkConfig, Outcome, Readiness, Refusal, fake};

const TOKEN: Address = Address::repeat_byte(0x11);
const PAYEE: Address = Address::repeat_byte(0x22);

/// A facilitator that says what it is told to say.
struct Fake {
    url: String,
    said: Arc<Mutex<Said>>,
}

struct Said {
    verify: (u16, String),
    settle: (u16, String),
    /// Paths and bodies.
    heard: Vec<(String, Value)>,
}

impl Fake {
    async fn start() -> Self {
        let said = Said { verify: (200, json!({ "isValid": true }).to_string()), settle: (500, String::new()), heard: Vec::new() };
        let said = Arc::new(Mutex::new(said));
        let shared = Arc::clone(&said);
        let url = fake::serve(move |path, body| answer(&mut shared.lock().unwrap(), path, body)).await;
        Self { url: format!("{url}x402/"), said }
    }

    fn say<R>(&self, change: impl FnOnce(&mut Said) -> R) -> R {
        change(&mut self.said.lock().unwrap())
    }

    fn heard(&self, path: &str) -> usize {
        self.say(|said| said.heard.iter().filter(|(heard, _)| heard == path).count())
    }
}

fn answer(said: &mut Said, path: &str, body: &[u8]) -> (u16, String) {
    said.heard.push((path.to_owned(), serde_json::from_slice(body).unwrap_or_default()));
    let kinds = json!({ "kinds": [
        { "x402Version": 1, "scheme": "exact", "network": "base" },
        { "x402Version": 2, "scheme": "exact", "network": "eip155:1" },
        { "x402Version": 2, "scheme": "upto", "network": "eip155:2" },
        "nonsense",
    ], "extensions": [], "signers": {} });
    match path {
        "/x402/supported" => (200, kinds.to_string()),
        "/x402/verify" => said.verify.clone(),
        "/x402/settle" => said.settle.clone(),
        _ => (404, String::new()),
    }
}

struct Rig {
    ledger: Ledger,
    facilitator: Facilitator,
    payer: PrivateKeySigner,
}

fn asset() -> Asset {
    let id = AssetId { network: Network::eip155(1), address: TOKEN };
    Asset { id, name: "USDC".into(), version: "2".into(), decimals: 6, usd: true, built_in: true }
}

impl Rig {
    async fn new(urls: &[&str]) -> Self {
        Self::watching(urls, &[]).await
    }

    /// With nodes that are asked what became of payments.
    async fn watching(urls: &[&str], nodes: &[&str]) -> Self {
        let network = NetworkConfig {
            network: Network::eip155(1),
            rpc: nodes.iter().map(|url| (*url).to_owned()).collect(),
            signers: Vec::new(),
            finality: Finality::default(),
            assets: vec![asset()],
            factories: Vec::new(),
            gas: GasLimits::default(),
        };
        let remotes = urls.iter().map(|url| (*url).to_owned()).collect();
        let config = Config { networks: vec![network], remotes, settle_within: Duration::from_secs(2) };
        let store = store::open("sqlite::memory:", Path::new(".")).unwrap();
        let worker = store.enter_worker(SystemClock.now()).await.unwrap();
        let ledger = Ledger::new(store, Arc::new(SystemClock), worker);
        let facilitator = Facilitator::start(config, ledger.clone(), Handle::current()).unwrap();
        for _ in 0..500 {
            if facilitator.readiness(&Network::eip155(1)).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { ledger, facilitator, payer: PrivateKeySigner::random() }
    }

    async fn verify(&self, nonce: u64) -> Result<crate::Verification, Refusal> {
        let authorization = Authorization {
            from: self.payer.address(),
            to: PAYEE,
            value: U256::from(10_000),
            valid_after: U256::ZERO,
            valid_before: U256::from(SystemClock.now().0 + 1_000),
            nonce: U256::from(nonce).into(),
        };
        let terms = Terms { scheme: Scheme::Exact, asset: asset().id, pay_to: PAYEE, amount: authorization.value, max_timeout_seconds: 60 };
        let digest = eip712::transfer_digest(&eip712::domain_separator("USDC", "2", 1, TOKEN), &authorization);
        let signature = self.payer.sign_hash_sync(&digest).unwrap().as_bytes().into();
        let payment = self.facilitator.authenticate(&ExactPayload { signature, authorization }, &asset().id)?;
        self.facilitator.verify(payment, terms, 5).await
    }

    async fn settle(&self, nonce: u64) -> Outcome {
        let verification = self.verify(nonce).await.unwrap();
        match self.ledger.claim(verification.verified, None, verification.head_block).await.unwrap() {
            Claim::New(claimed) => self.facilitator.settle(claimed).await,
            Claim::Known(record) => panic!("known: {record:?}"),
        }
    }

    fn success(&self) -> Value {
        json!({ "success": true, "payer": self.payer.address(), "transaction": B256::repeat_byte(7), "network": "eip155:1" })
    }
}

#[tokio::test]
async fn a_success_settles_and_nothing_of_ours_is_told() {
    let fake = Fake::start().await;
    let rig = Rig::new(&[&fake.url]).await;
    fake.say(|said| said.settle = (200, rig.success().to_string()));
    let outcome = rig.settle(1).await;
    let Outcome::Settled(settled) = outcome else { panic!("{outcome:?}") };
    assert_eq!((settled.settlement().transaction, settled.settlement().log_index), (B256::repeat_byte(7), None));
    assert!(matches!(&settled.record().attempt, Some(Attempt::Remote { facilitator }) if *facilitator == fake.url));
    for path in ["/x402/verify", "/x402/settle"] {
        let body = fake.say(|said| said.heard.iter().find(|(heard, _)| heard == path).unwrap().1.clone());
        assert_eq!(body["x402Version"], 2);
        assert_eq!(body["paymentRequirements"]["extra"], json!({ "name": "USDC", "version": "2" }));
        assert_eq!(body["paymentPayload"]["accepted"], body["paymentRequirements"]);
        assert!(x402::v2::payload_from_value(&body["paymentPayload"]).is_ok());
    }
}

/// A sweep must not take a settlement under way for one that was left behind, nor the other way round.
#[tokio::test]
async fn one_at_a_time_works_on_a_payment() {
    let fake = Fake::start().await;
    let rig = Rig::new(&[&fake.url]).await;
    fake.say(|said| said.settle = (200, rig.success().to_string()));
    let remote = rig.facilitator.inner.remote.clone().unwrap();
    let verification = rig.verify(1).await.unwrap();
    let Claim::New(claimed) = rig.ledger.claim(verification.verified, None, 0).await.unwrap() else { panic!("claimed before") };
    let turn = remote.enter(claimed.record()).unwrap();
    assert!(matches!(rig.facilitator.settle(claimed).await, Outcome::Unavailable { .. }));
    assert_eq!(fake.heard("/x402/settle"), 0);
    drop(turn);
    assert!(matches!(rig.settle(1).await, Outcome::Settled(_)));
}

#[tokio::test]
async fn a_chain_that_does_not_answer_refuses_nothing() {
    let fake = Fake::start().await;
    let rig = Rig::watching(&[&fake.url], &["http://127.0.0.1:1"]).await;
    fake.say(|said| said.settle = (200, rig.success().to_string()));
    assert_eq!(rig.verify(1).await.unwrap().head_block, 0);
    let outcome = rig.settle(1).await;
    assert!(matches!(outcome, Outcome::Settled(_)), "its evidence could not be told from older ones: {outcome:?}");
}

#[tokio::test]
async fn only_networks_it_settles_are_ready() {
    let fake = Fake::start().await;
    let rig = Rig::new(&[&fake.url]).await;
    assert!(rig.facilitator.readiness(&Network::eip155(1)).is_ready());
    for other in [2, 8453] {
        assert!(matches!(rig.facilitator.readiness(&Network::eip155(other)), Readiness::NotReady { .. }));
    }
}

#[tokio::test]
async fn a_verdict_is_strictly_typed() {
    let fake = Fake::start().await;
    let rig = Rig::new(&[&fake.url]).await;
    let refusal = async |status: u16, text: String| {
        fake.say(|said| said.verify = (status, text));
        rig.verify(1).await.unwrap_err()
    };
    let nonsense = [
        (200, r#"{"isValid":"true"}"#.to_owned()),
        (200, r#"{"isValid":1}"#.into()),
        (200, "{}".into()),
        (200, "true".into()),
        (200, "<html>".into()),
        (200, json!({ "isValid": true, "payer": PAYEE }).to_string()),
        (200, json!({ "isValid": false }).to_string()),
        (200, json!({ "isValid": false, "invalidReason": "unexpected_verify_error" }).to_string()),
        (429, json!({ "isValid": true }).to_string()),
        (308, json!({ "isValid": true }).to_string()),
        (500, json!({ "isValid": true }).to_string()),
    ];
    for (status, text) in nonsense {
        let refusal = refusal(status, text.clone()).await;
        assert!(matches!(refusal, Refusal::Unavailable { .. }), "{status} {text}: {refusal:?}");
    }
    let poor = json!({ "isValid": false, "invalidReason": "insufficient_funds", "payer": rig.payer.address() });
    assert_eq!(refusal(200, poor.to_string()).await, Refusal::Invalid(Reason::InsufficientFunds));
    assert_eq!(refusal(400, poor.to_string()).await, Refusal::Invalid(Reason::InsufficientFunds));
}

#[tokio::test]
async fn verify_goes_on_to_the_next() {
    let (broken, good) = (Fake::start().await, Fake::start().await);
    broken.say(|said| said.verify = (500, String::new()));
    let rig = Rig::new(&[&broken.url, &good.url]).await;
    drop(rig.verify(1).await.unwrap());
    assert_eq!((broken.heard("/x402/verify"), good.heard("/x402/verify")), (1, 1));
}

#[tokio::test]
async fn what_may_have_settled_is_pending_and_asked_of_nobody_else() {
    let (first, second) = (Fake::start().await, Fake::start().await);
    let rig = Rig::new(&[&first.url, &second.url]).await;
    let payer = rig.payer.address();
    let mut other_network = rig.success();
    other_network["network"] = json!("eip155:8453");
    let mut no_hash = rig.success();
    no_hash["transaction"] = json!("");
    let mut text = rig.success();
    text["success"] = json!("true");
    let mut other_payer = rig.success();
    other_payer["payer"] = json!(PAYEE);
    let unclear = [
        (200, text.to_string()),
        (200, other_network.to_string()),
        (200, no_hash.to_string()),
        (200, other_payer.to_string()),
        (200, "{}".to_owned()),
        (200, String::new()),
        (500, String::new()),
        (502, "bad gateway".into()),
        (200, json!({ "success": false, "errorReason": "settlement_pending", "payer": payer }).to_string()),
        (200, json!({ "success": false, "errorReason": "unexpected_settle_error", "payer": payer }).to_string()),
        (200, json!({ "success": false, "errorReason": "insufficient_funds", "transaction": B256::repeat_byte(7) }).to_string()),
        (200, json!({ "success": false, "errorReason": "something new" }).to_string()),
    ];
    for (nonce, (status, text)) in (1..).zip(unclear) {
        first.say(|said| said.settle = (status, text.clone()));
        let outcome = rig.settle(nonce).await;
        assert!(matches!(&outcome, Outcome::Pending { record } if record.state == State::Unknown), "{status} {text}: {outcome:?}");
    }
    assert_eq!(second.heard("/x402/settle"), 0);
}

#[tokio::test]
async fn a_reply_that_never_comes_may_have_settled() {
    let fake = Fake::start().await;
    let rig = Rig::new(&[&fake.url]).await;
    let verified = rig.verify(1).await.unwrap().verified;
    let ask = Ask::of_payment(verified.payment(), verified.terms(), &asset());
    // It takes the connection, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let client = crate::facilitator::http_client().unwrap();
    let late = wire::settle(&client, &url, &ask, Duration::from_millis(200)).await;
    assert!(matches!(late, Err(Trouble::Maybe(_))));
    drop(listener);
    let absent = wire::settle(&client, &url, &ask, Duration::from_secs(5)).await;
    assert!(matches!(absent, Err(Trouble::Unsent(_) | Trouble::Maybe(_))));
}

#[tokio::test]
async fn a_refusal_before_any_work_fails() {
    let fake = Fake::start().await;
    let rig = Rig::new(&[&fake.url]).await;
    let refusal = json!({ "success": false, "errorReason": "insufficient_funds", "transaction": "", "network": "eip155:1" });
    fake.say(|said| said.settle = (200, refusal.to_string()));
    let outcome = rig.settle(1).await;
    assert!(matches!(&outcome, Outcome::Failed { reason: Reason::InsufficientFunds, record } if record.state == State::Failed));
    // The same payment may be tried again: nothing was spent.
    fake.say(|said| said.settle = (200, rig.success().to_string()));
    assert!(matches!(rig.settle(1).await, Outcome::Settled(_)));
}

#[tokio::test]
async fn one_that_turns_us_away_is_left_for_the_next() {
    let (first, second) = (Fake::start().await, Fake::start().await);
    let rig = Rig::new(&[&first.url, &second.url]).await;
    first.say(|said| said.settle = (429, String::new()));
    second.say(|said| said.settle = (200, rig.success().to_string()));
    let outcome = rig.settle(1).await;
    assert!(matches!(&outcome, Outcome::Unavailable { record: Some(record), .. } if record.state == State::Failed), "{outcome:?}");
    assert_eq!(second.heard("/x402/settle"), 0);
    assert!(matches!(rig.settle(1).await, Outcome::Settled(_)));
    assert_eq!((first.heard("/x402/settle"), second.heard("/x402/settle")), (1, 1));
}
