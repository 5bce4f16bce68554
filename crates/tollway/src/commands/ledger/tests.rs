#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use ledger::{Advance, Attempt, NewRecord, State, Store, Transition, WorkerId};
use x402::{Address, AssetId, B256, Network, PaymentId, PaymentKey, Timestamp, U256};

use super::find;
use crate::cli::{LedgerList, States};

const NOW: Timestamp = Timestamp(1_800_000_000);

/// A payment claimed in the same second as all others, and sent; `unknown`: nobody has answered.
async fn sent(store: &dyn Store, n: u64, unknown: bool) -> PaymentId {
    let (network, token) = (Network::eip155(84532), Address::repeat_byte(0xAB));
    let new = NewRecord {
        key: PaymentKey { network: network.clone(), contract: token, payer: Address::repeat_byte(0xC1), nonce: B256::from(U256::from(n)) },
        asset: AssetId { network, address: token },
        pay_to: Address::repeat_byte(0xD2),
        amount: U256::from(10_000),
        valid_after: U256::ZERO,
        valid_before: U256::from(NOW.0 + 60),
        signature: vec![7; 65].into(),
        binding: None,
        worker: WorkerId("worker".into()),
        claimed_block: 12,
        now: NOW,
    };
    let Advance::Done(record) = store.claim(new).await.unwrap() else { panic!("claimed before") };
    let attempt = Attempt::Remote { facilitator: "http://127.0.0.1:1/".into() };
    let submit = Transition::Submit { attempt, lane: None };
    let steps = if unknown { vec![submit, Transition::Unknown] } else { vec![submit] };
    for step in steps {
        assert!(matches!(store.advance(record.id, record.generation, step, NOW).await.unwrap(), Advance::Done(_)));
    }
    record.id
}

#[tokio::test]
async fn pages_of_several_states_meet() {
    let store = store::open("sqlite::memory:", Path::new(".")).unwrap();
    let mut wanted = Vec::new();
    for n in 0..8 {
        wanted.push(sent(&*store, n, n % 2 == 0).await);
    }
    wanted.sort_unstable_by(|a, b| b.cmp(a));
    let pending = State::ALL.into_iter().filter(|state| state.on_the_wire() == "pending").collect();
    let mut page = LedgerList { json: false, state: Some(States(pending)), network: None, payer: None, limit: 3, before: None };
    let mut listed = Vec::new();
    loop {
        let found: Vec<_> = find(&*store, &page).await.unwrap().iter().map(|record| record.id).collect();
        let Some(last) = found.last() else { break };
        page.before = Some(*last);
        listed.extend(found);
    }
    assert_eq!(listed, wanted);
}
