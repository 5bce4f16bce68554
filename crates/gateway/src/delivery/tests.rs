#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use http_body_util::BodyExt;
use ledger::{Attempt, Binding, Claim, Settlement};
use x402::{
    Address, Asset, AssetId, Authorization, B256, Clock, Evidence, ExactPayload, Network, PaymentId, Scheme, SystemClock, Terms, Timestamp,
    U256,
};

use super::*;

struct Fixture {
    ledger: Ledger,
    tasks: TaskTracker,
    record: Record,
}

impl Fixture {
    /// A settled payment whose first delivery is under way.
    async fn new() -> Self {
        let store = store::open("sqlite::memory:", Path::new(".")).unwrap();
        let worker = store.enter_worker(SystemClock.now()).await.unwrap();
        let ledger = Ledger::new(store, std::sync::Arc::new(SystemClock), worker);
        let Claim::New(claimed) = ledger.claim(verified(), Some(binding()), 1).await.unwrap() else { panic!("known") };
        let submitted = ledger.submit(claimed, Attempt::Remote { facilitator: "f".into() }, None).await.unwrap();
        let (amount, at) = (U256::from(1), ledger.now());
        let settlement = Settlement { transaction: B256::ZERO, block_number: 1, block_hash: B256::ZERO, log_index: None, amount, at };
        let record = ledger.settle(submitted, settlement).await.unwrap().record().clone();
        assert!(record.redelivering.is_some());
        Self { ledger, tasks: TaskTracker::new(), record }
    }

    fn delivery(&self) -> Delivery {
        let (ledger, tasks, record) = (self.ledger.clone(), self.tasks.clone(), Box::new(self.record.clone()));
        Delivery { open: Some(Open { ledger, tasks, record, counts: false }) }
    }

    /// What is known once all notes are written: delivered, under way.
    async fn noted(&self) -> (bool, bool) {
        self.tasks.close();
        self.tasks.wait().await;
        let id: PaymentId = self.record.id;
        let record = self.ledger.recall(id).await.unwrap().unwrap();
        (record.delivered, record.redelivering.is_some())
    }
}

fn verified() -> x402::Verified {
    let id = AssetId { network: Network::eip155(84532), address: Address::repeat_byte(2) };
    let asset = Asset { id: id.clone(), name: "T".into(), version: "1".into(), decimals: 6, usd: true, built_in: false };
    let (to, value) = (Address::repeat_byte(3), U256::from(1));
    let authorization =
        Authorization { from: Address::repeat_byte(1), to, value, valid_after: U256::ZERO, valid_before: U256::MAX, nonce: B256::ZERO };
    let payload = ExactPayload { signature: x402::Bytes::from_static(&[1; 70]), authorization };
    let payment = x402::exact::authenticate(&payload, &asset, &B256::ZERO).unwrap();
    let terms = Terms { scheme: Scheme::Exact, asset: id, pay_to: to, amount: value, max_timeout_seconds: 60 };
    x402::verified::verify(payment, terms, Evidence::Facilitator, Timestamp(1), 0).unwrap()
}

fn binding() -> Binding {
    let (rule, method, path) = ("r".into(), "GET".into(), "/".into());
    let (request, facts, conditions, header) = (B256::ZERO, B256::ZERO, B256::ZERO, B256::ZERO);
    Binding { request, facts, conditions, header, source: [127, 0, 0, 1].into(), version_1: false, rule, method, path }
}

fn hello() -> Response<Body> {
    Response::new(Body::from(Bytes::from_static(b"hello")))
}

#[tokio::test]
async fn an_answer_is_delivered_when_the_socket_has_it() {
    let (payment, outbox) = (Fixture::new().await, Outbox::default());
    let answer = watch(hello(), payment.delivery(), Some(outbox.clone()));
    outbox.flushed();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
    assert_eq!(payment.noted().await, (false, true), "read to its end, and still on its way to the socket");
    outbox.flushed();
    assert_eq!(payment.noted().await, (true, false));
}

#[tokio::test]
async fn without_a_socket_the_end_is_the_delivery() {
    let payment = Fixture::new().await;
    assert!(watch(hello(), payment.delivery(), None).into_body().collect().await.is_ok());
    assert_eq!(payment.noted().await, (true, false));
}

#[tokio::test]
async fn an_empty_answer_is_delivered_with_its_head() {
    let (payment, outbox) = (Fixture::new().await, Outbox::default());
    drop(watch(Response::new(Body::empty()), payment.delivery(), Some(outbox.clone())));
    outbox.flushed();
    assert_eq!(payment.noted().await, (true, false));
}

#[tokio::test]
async fn what_is_dropped_before_its_end_can_be_redeemed() {
    let payment = Fixture::new().await;
    drop(watch(hello(), payment.delivery(), None));
    assert_eq!(payment.noted().await, (false, false));
    let payment = Fixture::new().await;
    let outbox = Outbox::default();
    assert!(watch(hello(), payment.delivery(), Some(outbox.clone())).into_body().collect().await.is_ok());
    drop(outbox);
    assert_eq!(payment.noted().await, (false, false), "the connection ended before the socket had it");
}
