use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};

use super::scripted::Scripted;
use crate::{
    chain::Chain,
    own::facts::{Question, Reader},
};

fn reader() -> (Arc<Scripted>, Reader) {
    let chain = Scripted::new(B256::ZERO);
    let reader = Reader::new(Arc::clone(&chain) as Arc<dyn Chain>, Address::ZERO);
    (chain, reader)
}

fn question(byte: u8) -> Question {
    (Address::repeat_byte(byte), B256::repeat_byte(byte))
}

#[tokio::test]
async fn a_block_is_read_once() {
    let (chain, reader) = reader();
    let first = reader.read(vec![question(1), question(2)]).await.unwrap();
    assert_eq!(reader.read(vec![question(2), question(1)]).await.unwrap(), first);
    assert_eq!(chain.say(|script| script.facts_asked), 2);
    // Only what is new is asked for.
    reader.read(vec![question(1), question(3)]).await.unwrap();
    assert_eq!(chain.say(|script| script.facts_asked), 3);
}

#[tokio::test]
async fn the_next_block_is_read_anew() {
    let (chain, reader) = reader();
    reader.read(vec![question(1)]).await.unwrap();
    chain.say(|script| {
        script.height += 1;
        script.row.nonce_used = true;
        script.row.balance = U256::ZERO;
    });
    let seen = reader.read(vec![question(1)]).await.unwrap();
    assert!(seen[0].facts.nonce_used && seen[0].facts.balance.is_zero());
    assert_eq!(seen[0].block, 101);
    // Also where only a part of it is new.
    chain.say(|script| {
        script.height += 1;
        script.row.nonce_used = false;
    });
    let seen = reader.read(vec![question(2), question(1)]).await.unwrap();
    assert!(seen.iter().all(|seen| !seen.facts.nonce_used && seen.block == 102));
}

#[tokio::test]
async fn a_chain_that_does_not_answer_says_nothing() {
    let (chain, reader) = reader();
    reader.read(vec![question(1)]).await.unwrap();
    chain.say(|script| script.down = true);
    assert!(reader.read(vec![question(1)]).await.is_err());
}
