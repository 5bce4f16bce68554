//! Rows to begin with, and short ways to the states.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use ledger::{Advance, Attempt, Binding, LaneLease, LaneOutcome, NewRecord, Record, Settlement, State, Store, Transition, WorkerId};
use x402::{Address, AssetId, B256, Network, PaymentKey, Timestamp, U256};

pub const NOW: Timestamp = Timestamp(1_800_000_000);
pub const AMOUNT: u64 = 10_000;

pub fn network() -> Network {
    Network::eip155(84532)
}

pub fn signer() -> Address {
    Address::repeat_byte(0x51)
}

pub fn worker() -> WorkerId {
    WorkerId("worker-of-the-suite".into())
}

/// The `n`th payment, bound to a request of protocol version 2.
pub fn payment(n: u64) -> NewRecord {
    let token = Address::repeat_byte(0xAB);
    NewRecord {
        key: PaymentKey { network: network(), contract: token, payer: Address::repeat_byte(0xC1), nonce: B256::from(U256::from(n)) },
        asset: AssetId { network: network(), address: token },
        pay_to: Address::repeat_byte(0xD2),
        amount: U256::from(AMOUNT),
        valid_after: U256::ZERO,
        valid_before: U256::from(NOW.0 + 60),
        signature: Bytes::from(vec![7; 65]),
        binding: Some(binding(n)),
        worker: worker(),
        claimed_block: 12,
        now: NOW,
    }
}

pub fn binding(n: u64) -> Binding {
    Binding {
        request: B256::from(U256::from(n + 1_000_000)),
        facts: B256::from(U256::from(n + 3_000_000)),
        conditions: B256::repeat_byte(0xC0),
        header: B256::from(U256::from(n + 2_000_000)),
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        version_1: false,
        rule: "reports".into(),
        method: "GET".into(),
        path: "/reports/q3?page=1".into(),
    }
}

/// A transaction of ours by account nonce `n`.
pub fn own(n: u64) -> Attempt {
    own_bytes(n, n)
}

/// One of several transactions with the account nonce `n`.
pub fn own_bytes(n: u64, bytes: u64) -> Attempt {
    let transaction = B256::from(U256::from(bytes + 3_000_000));
    Attempt::Own { signer: signer(), account_nonce: n, raw: Bytes::from(bytes.to_be_bytes().to_vec()), transaction }
}

/// The `n`th log of the chain.
pub fn evidence(n: u64) -> Settlement {
    Settlement {
        transaction: B256::from(U256::from(n + 3_000_000)),
        block_number: 20 + n,
        block_hash: B256::from(U256::from(n + 4_000_000)),
        log_index: Some(n),
        amount: U256::from(AMOUNT),
        at: NOW,
    }
}

pub fn done(advance: Advance) -> Record {
    match advance {
        Advance::Done(record) => record,
        Advance::Refused(record) => panic!("refused as {:?} at generation {}", record.state, record.generation),
    }
}

pub fn refused(advance: Advance) -> Record {
    match advance {
        Advance::Refused(record) => record,
        Advance::Done(record) => panic!("done: {:?} at generation {}", record.state, record.generation),
    }
}

pub async fn claim(store: &dyn Store, new: NewRecord) -> Record {
    done(store.claim(new).await.unwrap())
}

pub async fn lane(store: &dyn Store) -> LaneLease {
    match store.hold_lane(&network(), signer(), &worker(), NOW).await.unwrap() {
        LaneOutcome::Held(lease) => lease,
        LaneOutcome::Busy(worker) => panic!("the lane is {worker}'s"),
    }
}

pub async fn step(store: &dyn Store, record: &Record, transition: Transition) -> Advance {
    store.advance(record.id, record.generation, transition, NOW).await.unwrap()
}

pub async fn submit(store: &dyn Store, record: &Record, attempt: Attempt) -> Record {
    let lane = Some(lane(store).await);
    done(step(store, record, Transition::Submit { attempt, lane }).await)
}

/// The `n`th payment, settled by the `n`th log; its first delivery is under way.
pub async fn settled(store: &dyn Store, n: u64) -> Record {
    in_state(store, n, State::Settled).await
}

/// The `n`th payment, brought to a state by the shortest way.
pub async fn in_state(store: &dyn Store, n: u64, state: State) -> Record {
    let claimed = claim(store, payment(n)).await;
    let reason = || "for a reason".to_owned();
    match state {
        State::Claimed => return claimed,
        State::Released => return done(step(store, &claimed, Transition::Release { reason: reason() }).await),
        _ => {}
    }
    let submitted = submit(store, &claimed, own(n)).await;
    let next = match state {
        State::Unknown => Transition::Unknown,
        State::Failed => Transition::Fail { reason: reason(), transaction: None },
        State::Settled | State::Reverted | State::Lost => Transition::Settle { settlement: evidence(n) },
        _ => return submitted,
    };
    let mut record = done(step(store, &submitted, next).await);
    if matches!(state, State::Reverted | State::Lost) {
        record = done(step(store, &record, Transition::Revert).await);
    }
    if state == State::Lost {
        record = done(step(store, &record, Transition::Lose { reason: reason() }).await);
    }
    record
}
