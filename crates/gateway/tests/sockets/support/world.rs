//! A gateway with everything around it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use devnet::Devnet;
use facilitator::{Facilitator, Finality, GasLimits, NetworkConfig};
use gateway::{Config, Gateway, Limits, Secrets};
use ledger::Ledger;
use rules::{Action, Market, PriceSpec, RuleSet, RuleSpec, SettleWhen, Unmatched};
use tempfile::TempDir;
use x402::{Address, Asset, AssetId, Clock, Network, SystemClock, Timestamp};

use super::{Buyer, Reply, Wire, facilitator::Scripted, origin::Origin};

pub const PAY_TO: &str = "0x209693bc6afc0c5328ba36faf03c514ef312287c";
pub const USDC: &str = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
/// What tests begin at.
pub const NOW: u64 = 1_800_000_000;

pub struct World {
    pub gateway: Gateway,
    pub address: SocketAddr,
    pub origin: Origin,
    pub facilitator: Scripted,
    pub ledger: Ledger,
    pub buyer: Buyer,
    pub clock: Arc<SetClock>,
    pub config: Config,
    pub settling: Facilitator,
    _folder: TempDir,
}

/// Who settles.
pub enum Settling<'a> {
    Scripted,
    /// Our own facilitator on a chain; it may not be ready when the world is.
    OnChain {
        devnet: &'a Devnet,
        within: Duration,
    },
}

pub struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

impl SetClock {
    pub fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// `$0.01`, under that path.
pub fn charge(id: &str, prefix: &str) -> RuleSpec {
    RuleSpec {
        id: Some(id.to_owned()),
        when: Some(format!("starts_with(http.request.uri.path, \"{prefix}\")")),
        price: Some(PriceSpec::Dollars("$0.01".to_owned())),
        ..RuleSpec::new(Action::Charge)
    }
}

/// `/paid` settles before the response, `/first` before the origin, `/blocked` is nobody's, everything else is free.
pub fn rules() -> Vec<RuleSpec> {
    let first = RuleSpec { settle: Some(SettleWhen::BeforeOrigin), ..charge("first", "/first") };
    let listed =
        RuleSpec { resource: Some("https://shop.example/paid/a".to_owned()), description: Some("A".to_owned()), ..charge("paid", "/paid") };
    let posted = RuleSpec {
        when: Some("http.request.uri.path eq \"/posted\" and http.request.method eq \"POST\"".to_owned()),
        ..charge("posted", "/posted")
    };
    let headed = RuleSpec {
        when: Some("starts_with(http.request.uri.path, \"/tiered\") and any(http.request.headers[\"x-tier\"][*] eq \"gold\")".to_owned()),
        ..charge("tiered", "/tiered")
    };
    let blocked = RuleSpec { price: None, ..RuleSpec { action: Action::Block, ..charge("blocked", "/blocked") } };
    vec![listed, first, posted, headed, blocked]
}

pub fn market(unmatched: Unmatched) -> Market {
    let network = Network::eip155(84532);
    let asset = Asset {
        id: AssetId { network, address: USDC.parse().unwrap() },
        name: "USDC".to_owned(),
        version: "2".to_owned(),
        decimals: 6,
        usd: true,
        built_in: true,
    };
    Market {
        pay_to: PAY_TO.parse::<Address>().unwrap(),
        assets: vec![asset],
        timeout: 60,
        public_url: "https://shop.example".to_owned(),
        settle: SettleWhen::BeforeResponse,
        unmatched,
    }
}

impl World {
    pub async fn start() -> Self {
        Self::with(rules(), |_| {}).await
    }

    pub async fn with(rules: Vec<RuleSpec>, change: impl FnOnce(&mut Config)) -> Self {
        let world = Self::settling(Settling::Scripted, rules, change).await;
        world.ready().await;
        world
    }

    pub async fn on(devnet: &Devnet, within: Duration) -> Self {
        let mut world = Self::settling(Settling::OnChain { devnet, within }, rules(), |_| {}).await;
        world.buyer = Buyer::of(devnet::ACCOUNTS[1].key);
        world
    }

    /// Until payments are taken.
    pub async fn ready(&self) {
        for _ in 0..4000 {
            if self.settling.readiness(&Network::eip155(84532)).is_ready() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{:?}", self.settling.readiness(&Network::eip155(84532)));
    }

    async fn settling(who: Settling<'_>, rules: Vec<RuleSpec>, change: impl FnOnce(&mut Config)) -> Self {
        let (origin, facilitator) = (Origin::start().await, Scripted::start().await);
        let folder = tempfile::tempdir().unwrap();
        let store = store::open("sqlite:tollway.db", folder.path()).unwrap();
        let start = match who {
            Settling::Scripted => NOW,
            Settling::OnChain { .. } => SystemClock.now().0,
        };
        let clock = Arc::new(SetClock(AtomicU64::new(start)));
        let worker = store.enter_worker(clock.now()).await.unwrap();
        let ledger = Ledger::new(store, Arc::clone(&clock) as Arc<dyn Clock>, worker);
        let market = market(Unmatched::Pass);
        let (rpc, signers, remotes, settle_within) = match who {
            Settling::Scripted => (Vec::new(), Vec::new(), vec![format!("http://{}", facilitator.address)], Duration::from_secs(10)),
            Settling::OnChain { devnet, within } => {
                let signer = devnet::ACCOUNTS[8].key.to_string().parse().unwrap();
                (vec![devnet.rpc_url()], vec![signer], Vec::new(), within)
            }
        };
        let network = NetworkConfig {
            network: Network::eip155(84532),
            rpc,
            signers,
            finality: Finality::default(),
            assets: market.assets.clone(),
            factories: Vec::new(),
            gas: GasLimits::default(),
        };
        let remote = facilitator::Config { networks: vec![network], remotes, settle_within };
        let settling = Facilitator::start(remote, ledger.clone(), tokio::runtime::Handle::current()).unwrap();
        let mut config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            threads: 1,
            public_url: "https://shop.example".to_owned(),
            origin: format!("http://{}", origin.address).parse().unwrap(),
            trusted_proxies: Vec::new(),
            request_buffer: 1024,
            limits: Limits::default(),
        };
        change(&mut config);
        let rules = RuleSet::build(rules, market).unwrap_or_else(|errors| panic!("{errors:?}"));
        let secrets = Secrets { quote: [7; 32], context: [9; 32] };
        let started =
            Gateway::start(config.clone(), rules, settling.clone(), ledger.clone(), Arc::clone(&clock) as Arc<dyn Clock>, secrets);
        let gateway = started.unwrap();
        let address = gateway.local_addr();
        Self { gateway, address, origin, facilitator, ledger, buyer: Buyer::new(1), clock, config, settling, _folder: folder }
    }

    pub fn now(&self) -> u64 {
        self.clock.now().0
    }

    /// One request on a connection of its own; `lines` are further header lines.
    pub async fn send(&self, method: &str, target: &str, lines: &[&str], body: &[u8]) -> Reply {
        let mut wire = Wire::open(self.address).await;
        wire.send(request(method, target, lines, body)).await;
        wire.reply_to(method).await
    }

    pub async fn get(&self, target: &str, lines: &[&str]) -> Reply {
        self.send("GET", target, lines, b"").await
    }

    /// The payment header line for what is offered at `target`.
    pub async fn payment(&self, target: &str) -> String {
        let unpaid = self.get(target, &[]).await;
        format!("PAYMENT-SIGNATURE: {}", self.buyer.pay(&unpaid, self.now()))
    }

    /// `GET target`, paid.
    pub async fn paid(&self, target: &str) -> (String, Reply) {
        let payment = self.payment(target).await;
        let reply = self.get(target, &[&payment]).await;
        (payment, reply)
    }

    /// Until a payment's record is as expected; what is noted after an answer is noted soon.
    pub async fn until(&self, id: x402::PaymentId, expected: impl Fn(&ledger::Record) -> bool) -> ledger::Record {
        for _ in 0..2000 {
            if let Some(record) = self.ledger.recall(id).await.unwrap()
                && expected(&record)
            {
                return record;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never: {:?}", self.ledger.recall(id).await);
    }

    /// The id of a payment, by its header line.
    pub fn id(payment: &str) -> x402::PaymentId {
        let (name, value) = payment.split_once(": ").unwrap();
        let payload =
            if name == "X-PAYMENT" { x402::v1::decode_payment(value.as_bytes()) } else { x402::http::decode_payment(value.as_bytes()) };
        let x402::SchemePayload::Exact(exact) = payload.unwrap().payload else { panic!("not exact") };
        let network = Network::eip155(84532);
        x402::PaymentKey { network, contract: USDC.parse().unwrap(), payer: exact.authorization.from, nonce: exact.authorization.nonce }
            .id()
    }
}

/// An HTTP/1.1 request with its body's length.
pub fn request(method: &str, target: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: shop.example\r\n");
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// The receipt of an answer.
pub fn receipt(reply: &Reply) -> x402::SettlementResponse {
    let header = reply.header("payment-response").unwrap_or_else(|| panic!("no receipt: {reply:?}"));
    x402::http::decode_response(header.as_bytes()).unwrap()
}
