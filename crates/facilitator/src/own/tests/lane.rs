use std::collections::BTreeSet;

use alloy_primitives::{B256, U256};
use ledger::{LaneLease, WorkerId};
use x402::Network;

use crate::{SignerKey, chain::Account, own::lane::Lane};

fn lane() -> Lane {
    let key: SignerKey = B256::repeat_byte(7).to_string().parse().unwrap();
    Lane::new(key, 1)
}

fn hold(lane: &Lane, pending: u64, next_nonce: u64, open: &[u64]) {
    let lease = LaneLease { network: Network::eip155(1), signer: lane.signer(), worker: WorkerId("w".into()), epoch: 1, next_nonce };
    let account = Account { mined: pending, pending, balance: U256::ZERO };
    lane.hold(lease, account, open.iter().copied().collect::<BTreeSet<_>>());
}

/// The nonces given out next, and spent.
fn spend(lane: &Lane, count: usize) -> Vec<u64> {
    (0..count)
        .map(|_| {
            let slot = lane.slot().unwrap();
            let nonce = slot.nonce();
            slot.spend();
            nonce
        })
        .collect()
}

#[test]
fn a_lane_that_is_not_held_gives_nothing_out() {
    let lane = lane();
    assert!(lane.slot().is_none());
    hold(&lane, 0, 0, &[]);
    assert!(lane.slot().is_some());
    assert!(lane.leave().is_some());
    assert!(lane.slot().is_none());
}

#[test]
fn it_starts_after_what_the_chain_and_the_books_know() {
    let (chain, books) = (lane(), lane());
    hold(&chain, 5, 3, &[]);
    assert_eq!(spend(&chain, 2), [5, 6]);
    // The books wrote up to 7; 5 and 7 are open, 6 was never taken by the chain and is free.
    hold(&books, 5, 8, &[5, 7]);
    assert_eq!(spend(&books, 3), [6, 8, 9]);
}

#[test]
fn an_unused_nonce_is_given_out_again() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    drop(lane.slot().unwrap());
    let (first, second) = (lane.slot().unwrap(), lane.slot().unwrap());
    assert_eq!((first.nonce(), second.nonce()), (0, 1));
    drop(first);
    second.spend();
    assert_eq!(spend(&lane, 2), [0, 2]);
}

#[test]
fn a_slot_of_a_lost_lane_goes_nowhere() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    let slot = lane.slot().unwrap();
    lane.leave();
    let lease = LaneLease { network: Network::eip155(1), signer: lane.signer(), worker: WorkerId("w".into()), epoch: 2, next_nonce: 4 };
    lane.hold(lease, Account { mined: 4, pending: 4, balance: U256::ZERO }, BTreeSet::new());
    drop(slot);
    assert_eq!(spend(&lane, 1), [4]);
}

#[test]
fn what_the_chain_counts_is_not_given_out() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    assert_eq!(spend(&lane, 1), [0]);
    lane.give_back(0);
    lane.catch_up(Account { mined: 2, pending: 3, balance: U256::ZERO });
    assert_eq!(spend(&lane, 1), [3]);
}

#[test]
fn a_gap_is_one_only_below_what_is_under_way() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    assert_eq!(spend(&lane, 2), [0, 1]);
    lane.give_back(1);
    assert!(lane.gap_now().is_none());
    lane.give_back(0);
    assert!(lane.gap_now().is_none());
    assert_eq!(spend(&lane, 1), [0]);
    lane.give_back(0);
    assert_eq!(lane.load(), Some(0));
    assert_eq!(spend(&lane, 2), [0, 1]);
    lane.give_back(0);
    assert_eq!(lane.gap_now().map(|slot| slot.nonce()), Some(0));
    lane.done(1);
    assert!(lane.gap_now().is_none());
}
