//! A facilitator on a devnet, and payers.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::signers::SignerSync;
use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use devnet::{ACCOUNTS, DevAccount, Devnet, contracts};
use facilitator::{Config, Facilitator, Finality, GasLimits, NetworkConfig, Outcome, Readiness, Refusal};
use ledger::{Claim, Claimed, Ledger, Record, State};
use tokio::runtime::Handle;
use x402::{Asset, AssetId, Authorization, Clock, ExactPayload, Network, PaymentKey, Scheme, SystemClock, Terms, Timestamp, eip712};

pub const PAYEE: Address = address!("0x209693Bc6afc0C5328bA36FaF03C514EF312287C");
pub const SIGNER: DevAccount = ACCOUNTS[8];
pub const BUYER: DevAccount = ACCOUNTS[1];
pub const PRICE: u64 = 10_000;
pub const ACCESS_TOKEN: &str = "secret-token";

pub fn network() -> Network {
    Network::eip155(84532)
}

pub fn usdc() -> Asset {
    x402::known::network(&network()).unwrap().usdc.clone()
}

/// A token of the configuration, not one we know.
pub fn other_token(address: Address) -> Asset {
    let id = AssetId { network: network(), address };
    Asset { id, name: "USDC".into(), version: "2".into(), decimals: 6, usd: true, built_in: false }
}

pub struct Rig {
    pub devnet: Arc<Devnet>,
    pub ledger: Ledger,
    pub config: Config,
    pub facilitator: Facilitator,
}

pub fn config(devnet: &Devnet) -> Config {
    let network = NetworkConfig {
        network: network(),
        rpc: vec![devnet.rpc_url()],
        signers: vec![SIGNER.key.to_string().parse().unwrap()],
        finality: Finality::default(),
        assets: vec![usdc()],
        factories: Vec::new(),
        gas: GasLimits::default(),
    };
    Config { networks: vec![network], remotes: Vec::new(), settle_within: Duration::from_secs(20) }
}

pub async fn ledger() -> Ledger {
    let store = store::open("sqlite::memory:", Path::new(".")).unwrap();
    let worker = store.enter_worker(SystemClock.now()).await.unwrap();
    Ledger::new(store, Arc::new(SystemClock), worker)
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// Ready when this returns. `change` sees chain and configuration before the start.
    pub async fn with(change: impl FnOnce(&Devnet, &mut Config)) -> Self {
        let rig = Self::unready(change).await;
        rig.ready().await;
        rig
    }

    pub async fn unready(change: impl FnOnce(&Devnet, &mut Config)) -> Self {
        let devnet = Arc::new(Devnet::start(devnet::Config::default()).unwrap());
        let mut config = config(&devnet);
        change(&devnet, &mut config);
        let ledger = ledger().await;
        let facilitator = Facilitator::start(config.clone(), ledger.clone(), Handle::current()).unwrap();
        Self { devnet, ledger, config, facilitator }
    }

    /// Another facilitator on the same books, as after a restart.
    pub async fn restarted(self) -> Self {
        self.facilitator.shutdown().await;
        let facilitator = Facilitator::start(self.config.clone(), self.ledger.clone(), Handle::current()).unwrap();
        Self { facilitator, ..self }
    }

    pub async fn ready(&self) {
        until("the network is ready", || async { self.facilitator.readiness(&network()).is_ready() }).await;
    }

    pub async fn why_not_ready(&self, part: &str) {
        until(part, || async { matches!(self.facilitator.readiness(&network()), Readiness::NotReady { why } if why.contains(part)) }).await;
    }

    pub async fn verify(&self, payment: &Payment) -> Result<facilitator::Verification, Refusal> {
        let authenticated = self.facilitator.authenticate(&payment.payload, &payment.terms.asset)?;
        self.facilitator.verify(authenticated, payment.terms.clone(), 5).await
    }

    pub async fn claim(&self, payment: &Payment) -> Claimed {
        let verification = self.verify(payment).await.unwrap();
        match self.ledger.claim(verification.verified, None, verification.head_block).await.unwrap() {
            Claim::New(claimed) => claimed,
            Claim::Known(record) => panic!("known: {record:?}"),
        }
    }

    pub async fn pay(&self, payment: &Payment) -> Outcome {
        let claimed = self.claim(payment).await;
        self.facilitator.settle(claimed).await
    }

    pub async fn record(&self, payment: &Payment) -> Record {
        self.ledger.recall(payment.key().id()).await.unwrap().unwrap()
    }

    /// Waits for a state of the books.
    pub async fn until_state(&self, payment: &Payment, state: State) -> Record {
        until(state.as_str(), || async { self.record(payment).await.state == state }).await;
        self.record(payment).await
    }

    pub fn balance(&self, account: Address) -> U256 {
        self.devnet.token_balance(account).unwrap()
    }
}

/// Waits for a condition, at most a minute.
pub async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    for _ in 0..2_400 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never: {what}");
}

#[derive(Clone, Debug)]
pub struct Payment {
    pub payload: ExactPayload,
    pub terms: Terms,
}

impl Payment {
    pub fn key(&self) -> PaymentKey {
        let authorization = &self.payload.authorization;
        PaymentKey { network: network(), contract: self.terms.asset.address, payer: authorization.from, nonce: authorization.nonce }
    }

    /// The same authorization as calldata, for strangers.
    pub fn call(&self) -> contracts::Token::transferWithAuthorization_1Call {
        let a = &self.payload.authorization;
        contracts::Token::transferWithAuthorization_1Call {
            from: a.from,
            to: a.to,
            value: a.value,
            validAfter: a.valid_after,
            validBefore: a.valid_before,
            nonce: a.nonce,
            signature: self.payload.signature.clone(),
        }
    }
}

fn fresh_nonce() -> B256 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    alloy_primitives::keccak256(NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes())
}

pub fn authorization(from: Address, value: u64) -> Authorization {
    let Timestamp(now) = SystemClock.now();
    Authorization {
        from,
        to: PAYEE,
        value: U256::from(value),
        valid_after: U256::from(now - 60),
        valid_before: U256::from(now + 3_600),
        nonce: fresh_nonce(),
    }
}

pub fn sign(asset: &Asset, authorization: &Authorization, key: DevAccount) -> Bytes {
    let domain = eip712::domain_separator(&asset.name, &asset.version, 84532, asset.id.address);
    let digest = eip712::transfer_digest(&domain, authorization);
    key.signer().sign_hash_sync(&digest).unwrap().as_bytes().into()
}

/// A payment of `asset` from `from`, signed with `key`.
pub fn payment_of(asset: &Asset, from: Address, key: DevAccount) -> Payment {
    signed(asset, authorization(from, PRICE), key)
}

pub fn signed(asset: &Asset, authorization: Authorization, key: DevAccount) -> Payment {
    let terms = Terms {
        scheme: Scheme::Exact,
        asset: asset.id.clone(),
        pay_to: authorization.to,
        amount: authorization.value,
        max_timeout_seconds: 60,
    };
    let signature = sign(asset, &authorization, key);
    Payment { payload: ExactPayload { signature, authorization }, terms }
}

/// A plain wallet's payment.
pub fn payment() -> Payment {
    payment_of(&usdc(), BUYER.address, BUYER)
}

/// EIP-6492: the wallet of `owner` and `salt`, which `factory` is to deploy.
pub fn counterfactual(devnet: &Devnet, owner: DevAccount, salt: u64, factory: Address) -> Payment {
    const MAGIC: [u8; 32] = [
        0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
        0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
    ];
    let salt = U256::from(salt);
    let wallet = devnet.wallet_address(owner.address, salt).unwrap();
    let mut payment = payment_of(&usdc(), wallet, owner);
    let create = contracts::WalletFactory::createWalletCall { owner: owner.address, salt };
    let wrapped = (factory, Bytes::from(create.abi_encode()), payment.payload.signature.clone()).abi_encode_params();
    payment.payload.signature = [wrapped.as_slice(), &MAGIC].concat().into();
    payment
}
