use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolEvent;

use crate::{
    chain::{AuthorizationUsed, Log, Receipt, Transfer},
    own::judge::Expected,
};

const TOKEN: Address = Address::repeat_byte(1);
const PAYER: Address = Address::repeat_byte(2);
const PAYEE: Address = Address::repeat_byte(3);
const AMOUNT: u64 = 10_000;

fn nonce(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn expected(byte: u8) -> Expected {
    Expected { token: TOKEN, payer: PAYER, nonce: nonce(byte), payee: PAYEE, amount: U256::from(AMOUNT) }
}

fn used(byte: u8) -> Log {
    log(vec![AuthorizationUsed::SIGNATURE_HASH, PAYER.into_word(), nonce(byte)], Bytes::new())
}

fn moved(payee: Address, amount: u64) -> Log {
    log(vec![Transfer::SIGNATURE_HASH, PAYER.into_word(), payee.into_word()], U256::from(amount).to_be_bytes::<32>().into())
}

fn log(topics: Vec<B256>, data: Bytes) -> Log {
    Log { address: TOKEN, topics, data, index: 0, transaction: B256::ZERO }
}

fn receipt(logs: Vec<Log>) -> Receipt {
    let logs = logs.into_iter().zip(10..).map(|(log, index)| Log { index, ..log }).collect();
    Receipt { transaction: B256::ZERO, block_number: 1, block_hash: B256::ZERO, succeeded: true, logs }
}

#[test]
fn a_use_and_its_transfer_are_evidence() {
    assert_eq!(expected(1).evidence(&receipt(vec![used(1), moved(PAYEE, AMOUNT)])), Some(11));
}

#[test]
fn a_token_may_mark_the_nonce_last() {
    assert_eq!(expected(1).evidence(&receipt(vec![moved(PAYEE, AMOUNT), used(1)])), Some(10));
}

#[test]
fn a_revert_is_none_whatever_it_logs() {
    let reverted = Receipt { succeeded: false, ..receipt(vec![used(1), moved(PAYEE, AMOUNT)]) };
    assert_eq!(expected(1).evidence(&reverted), None);
}

#[test]
fn one_without_the_other_is_none() {
    assert_eq!(expected(1).evidence(&receipt(vec![used(1)])), None);
    assert_eq!(expected(1).evidence(&receipt(vec![moved(PAYEE, AMOUNT)])), None);
    assert_eq!(expected(1).evidence(&receipt(vec![])), None);
}

#[test]
fn another_nonce_payee_or_amount_is_none() {
    assert_eq!(expected(2).evidence(&receipt(vec![used(1), moved(PAYEE, AMOUNT)])), None);
    assert_eq!(expected(1).evidence(&receipt(vec![used(1), moved(Address::ZERO, AMOUNT)])), None);
    assert_eq!(expected(1).evidence(&receipt(vec![used(1), moved(PAYEE, AMOUNT - 1)])), None);
}

#[test]
fn another_contracts_logs_are_none() {
    for at in 0..2 {
        let mut receipt = receipt(vec![used(1), moved(PAYEE, AMOUNT)]);
        receipt.logs[at].address = Address::ZERO;
        assert_eq!(expected(1).evidence(&receipt), None);
    }
}

#[test]
fn equal_payments_of_one_batch_have_a_transfer_each() {
    let batch = receipt(vec![used(1), moved(PAYEE, AMOUNT), used(2), moved(PAYEE, AMOUNT)]);
    assert_eq!((expected(1).evidence(&batch), expected(2).evidence(&batch)), (Some(11), Some(13)));
    // The second moved nothing: the first one's transfer is not its.
    let short = receipt(vec![used(1), moved(PAYEE, AMOUNT), used(2)]);
    assert_eq!((expected(1).evidence(&short), expected(2).evidence(&short)), (Some(11), None));
}
