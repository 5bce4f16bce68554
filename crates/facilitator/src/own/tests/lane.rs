use std::{collections::BTreeSet, time::Duration};

use alloy_primitives::{B256, U256};
use ledger::{LaneLease, WorkerId};
use x402::Network;

use crate::{
    SignerKey,
    chain::Account,
    own::lane::{GasPrice, Lane},
};

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

fn gap_after(lane: &Lane, seconds: u64) -> Option<(u64, u32)> {
    lane.gap_after(Duration::from_secs(seconds)).map(|gap| (gap.nonce, gap.bids))
}

#[test]
fn a_gap_is_one_only_below_what_is_under_way() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    assert_eq!(spend(&lane, 2), [0, 1]);
    lane.give_back(1);
    assert_eq!(gap_after(&lane, 2), None);
    lane.give_back(0);
    assert_eq!(gap_after(&lane, 2), None);
    assert_eq!(spend(&lane, 1), [0]);
    lane.give_back(0);
    assert_eq!(lane.load(), Some(0));
    assert_eq!(spend(&lane, 2), [0, 1]);
    lane.give_back(0);
    assert_eq!(gap_after(&lane, 0), None, "somebody may want it yet");
    assert_eq!(gap_after(&lane, 2), Some((0, 0)));
    // From then on it is given to nobody, and is a gap until the chain counts it.
    assert_eq!(spend(&lane, 1), [2]);
    assert_eq!(gap_after(&lane, 2), Some((0, 0)));
    lane.catch_up(Account { mined: 1, pending: 3, balance: U256::ZERO });
    assert_eq!(gap_after(&lane, 100), None);
}

#[test]
fn what_a_payment_leaves_behind_is_a_gap_until_the_chain_counts_it() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    assert_eq!(spend(&lane, 1), [0]);
    assert_eq!(gap_after(&lane, 100), None, "it is an open payment's");
    lane.leave_behind(0);
    assert_eq!(gap_after(&lane, 2), None);
    assert_eq!(gap_after(&lane, 4), Some((0, 1)));
    assert_eq!(spend(&lane, 1), [1], "its bytes may be mined still");
    lane.catch_up(Account { mined: 1, pending: 2, balance: U256::ZERO });
    assert_eq!(gap_after(&lane, 100), None);
}

#[test]
fn what_lies_in_the_pool_is_given_its_time() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    assert_eq!(spend(&lane, 1), [0]);
    lane.leave_behind(0);
    lane.catch_up(Account { mined: 0, pending: 1, balance: U256::ZERO });
    assert_eq!(gap_after(&lane, 10), None);
    assert_eq!(gap_after(&lane, 61), Some((0, 1)));
    // A filler that was sent is outbid by the next.
    lane.filled(0, true);
    assert_eq!(gap_after(&lane, 10), None);
    assert_eq!(gap_after(&lane, 61), Some((0, 2)));
}

#[test]
fn a_nonce_that_nobody_holds_is_a_gap() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    assert_eq!(spend(&lane, 3), [0, 1, 2]);
    // Two of them are said to be mined, and are not.
    lane.done(0);
    lane.done(1);
    assert_eq!(gap_after(&lane, 100), None);
    lane.catch_up(Account { mined: 1, pending: 1, balance: U256::ZERO });
    assert_eq!(gap_after(&lane, 4), Some((1, 1)));
    // After a start: what is in the node's pool and in no open payment.
    hold(&lane, 5, 5, &[]);
    lane.catch_up(Account { mined: 5, pending: 7, balance: U256::ZERO });
    assert_eq!(gap_after(&lane, 10), None);
    assert_eq!(gap_after(&lane, 61), Some((5, 1)));
    assert_eq!(spend(&lane, 1), [7]);
}

#[test]
fn a_nonce_being_written_is_somebodys() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    let slot = lane.slot().unwrap();
    lane.catch_up(Account { mined: 0, pending: 0, balance: U256::ZERO });
    assert_eq!(gap_after(&lane, 100), None);
    slot.spend();
    assert!(lane.is_waiting());
    lane.catch_up(Account { mined: 1, pending: 1, balance: U256::ZERO });
    assert!(!lane.is_waiting());
}

#[test]
fn a_pool_that_cannot_be_is_not_believed() {
    let lane = lane();
    hold(&lane, 0, 0, &[]);
    lane.catch_up(Account { mined: 0, pending: 1 << 60, balance: U256::ZERO });
    assert_eq!(spend(&lane, 1), [0]);
}

#[test]
fn a_bid_is_higher_each_time_and_never_above_the_cap() {
    let price = GasPrice { max: 1_000, priority: 10 };
    assert_eq!(price.outbidding(0, 5_000), price);
    let (once, twice) = (price.outbidding(1, 5_000), price.outbidding(2, 5_000));
    assert!(once.max * 10 >= price.max * 11 && once.priority * 10 >= price.priority * 11);
    assert!(twice.max * 10 >= once.max * 11 && twice.priority * 10 >= once.priority * 11);
    assert_eq!(price.outbidding(u32::MAX, 5_000).max, 5_000);
}
