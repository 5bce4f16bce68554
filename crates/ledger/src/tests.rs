//! The pure half: states, transitions, entries. What stores do with them is tested in `store`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use bytes::Bytes;
use x402::{Address, AssetId, B256, Network, PaymentId, PaymentKey, Timestamp, U256};

use crate::{Account, Attempt, LaneLease, NewRecord, Record, Settlement, State, Transition, Unsound, WorkerId};

fn record() -> Record {
    let network = Network::eip155(84532);
    let contract = Address::repeat_byte(0xaa);
    let new = NewRecord {
        key: PaymentKey { network: network.clone(), contract, payer: Address::repeat_byte(1), nonce: B256::repeat_byte(2) },
        asset: AssetId { network, address: contract },
        pay_to: Address::repeat_byte(3),
        amount: U256::from(1000),
        valid_after: U256::ZERO,
        valid_before: U256::from(2_000_000_000),
        signature: Bytes::from_static(&[7; 65]),
        binding: None,
        worker: WorkerId("worker".into()),
        claimed_block: 9,
        now: Timestamp(100),
    };
    new.claimed(PaymentId([5; 16]), 1)
}

fn own() -> Attempt {
    Attempt::Own { signer: Address::repeat_byte(4), account_nonce: 7, raw: Bytes::from_static(b"raw"), transaction: B256::repeat_byte(6) }
}

fn lease(network: Network, signer: Address) -> LaneLease {
    LaneLease { network, signer, worker: WorkerId("worker".into()), epoch: 1, next_nonce: 0 }
}

fn settlement(amount: u64) -> Settlement {
    Settlement {
        transaction: B256::repeat_byte(6),
        block_number: 10,
        block_hash: B256::repeat_byte(8),
        log_index: Some(3),
        amount: U256::from(amount),
        at: Timestamp(120),
    }
}

fn every_transition() -> Vec<Transition> {
    vec![
        Transition::Release { reason: "r".into() },
        Transition::Submit { attempt: own(), lane: None },
        Transition::Resubmit { attempt: own(), lane: None },
        Transition::Unknown,
        Transition::Settle { settlement: settlement(1000) },
        Transition::Fail { reason: "r".into(), transaction: None },
        Transition::Revert,
        Transition::Lose { reason: "r".into() },
    ]
}

#[test]
fn the_transitions_are_those_of_the_design_and_no_others() {
    use State::{Claimed, Failed, Lost, Released, Reverted, Settled, Submitted, Unknown};
    let edges: BTreeSet<(&str, &str)> =
        every_transition().iter().flat_map(|t| t.from().iter().map(|from| (from.as_str(), t.to().as_str()))).collect();
    let design = [
        (Claimed, Submitted),
        (Claimed, Released),
        (Claimed, Failed),      // refused for good by the last simulation, before anything was sent
        (Submitted, Submitted), // a replacement
        (Submitted, Settled),
        (Submitted, Failed),
        (Submitted, Unknown),
        (Unknown, Submitted), // a replacement
        (Unknown, Settled),
        (Unknown, Failed),
        (Settled, Reverted),
        (Reverted, Submitted),
        (Reverted, Lost),
    ];
    assert_eq!(edges, design.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect());
}

#[test]
fn final_states_are_left_by_a_revert_only() {
    for transition in every_transition() {
        for from in transition.from() {
            assert!(!from.is_final() || (*from == State::Settled && transition == Transition::Revert), "{from:?} by {transition:?}");
        }
    }
}

#[test]
fn state_names_are_read_back_and_strangers_are_not_guessed() {
    for state in State::ALL {
        assert_eq!(State::from_name(state.as_str()), Some(state));
    }
    assert_eq!(State::from_name("Settled"), None);
    assert_eq!(State::from_name("advanced"), None);
}

#[test]
fn what_may_have_been_sent_is_pending_on_the_wire() {
    for state in [State::Submitted, State::Unknown, State::Reverted] {
        assert_eq!(state.on_the_wire(), "pending");
    }
}

#[test]
fn a_revert_takes_back_what_the_settlement_booked() {
    let mut record = record();
    let booked = Transition::Settle { settlement: settlement(1000) }.entries(&record);
    record.settlement = Some(settlement(1000));
    let taken_back = Transition::Revert.entries(&record);
    assert_eq!(booked.len(), 1);
    assert_eq!((booked[0].debit, booked[0].credit), (Account::Payer(record.key.payer), Account::Seller(record.pay_to)));
    assert_eq!((booked[0].debit, booked[0].credit, booked[0].amount), (taken_back[0].credit, taken_back[0].debit, taken_back[0].amount));
}

#[test]
fn money_moves_in_the_books_by_settlement_and_revert_only() {
    let mut record = record();
    record.settlement = Some(settlement(1000));
    for transition in every_transition() {
        let books = matches!(transition, Transition::Settle { .. } | Transition::Revert);
        assert_eq!(!transition.entries(&record).is_empty(), books, "{transition:?}");
    }
}

#[test]
fn our_own_transaction_needs_the_lease_of_its_lane() {
    let record = record();
    let submit = |lane| Transition::Submit { attempt: own(), lane }.check(&record);
    assert_eq!(submit(None), Err(Unsound::NoLane));
    assert_eq!(submit(Some(lease(record.key.network.clone(), Address::repeat_byte(9)))), Err(Unsound::OtherLane));
    assert_eq!(submit(Some(lease(Network::eip155(1), Address::repeat_byte(4)))), Err(Unsound::OtherLane));
    assert_eq!(submit(Some(lease(record.key.network.clone(), Address::repeat_byte(4)))), Ok(()));
    let remote = Transition::Submit { attempt: Attempt::Remote { facilitator: "https://f.example".into() }, lane: None };
    assert_eq!(remote.check(&record), Ok(()));
}

#[test]
fn evidence_of_another_amount_settles_nothing() {
    let record = record();
    for amount in [0, 999, 1001] {
        assert_eq!(Transition::Settle { settlement: settlement(amount) }.check(&record), Err(Unsound::Amount));
    }
    assert_eq!(Transition::Settle { settlement: settlement(1000) }.check(&record), Ok(()));
}

#[test]
fn a_repeated_step_is_recognised_only_where_its_own_attempt_stands() {
    let mut record = record();
    record.state = State::Submitted;
    let submit = Transition::Submit { attempt: own(), lane: None };
    assert!(!submit.stands_in(&record));
    record.attempt = Some(Attempt::Foreign { transaction: B256::repeat_byte(6) });
    assert!(!submit.stands_in(&record));
    record.attempt = Some(own());
    assert!(submit.stands_in(&record));
    assert!(!Transition::Unknown.stands_in(&record));
}

#[test]
fn accounts_are_read_back_by_their_names() {
    for account in [Account::Payer(Address::repeat_byte(0xab)), Account::Seller(Address::ZERO)] {
        assert_eq!(account.to_string().parse(), Ok(account));
    }
    for stranger in ["", "payer", "payer/", "bank/0x0000000000000000000000000000000000000000", "payer/0x00"] {
        assert!(stranger.parse::<Account>().is_err(), "{stranger}");
    }
}
