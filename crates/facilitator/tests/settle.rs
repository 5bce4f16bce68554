//! Verifying and settling on a chain.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy_primitives::{U256, address};
use common::{BUYER, PAYEE, PRICE, Rig, counterfactual, other_token, payment, payment_of, signed, until, usdc};
use devnet::{ACCOUNTS, Faults, Outage, contracts};
use facilitator::{Outcome, Refusal};
use ledger::{Attempt, Record, State};
use x402::Reason;

fn settled(outcome: Outcome) -> Record {
    match outcome {
        Outcome::Settled(settled) => {
            assert_eq!(settled.record().settlement.as_ref(), Some(settled.settlement()));
            settled.record().clone()
        }
        other => panic!("not settled: {other:?}"),
    }
}

fn failed(outcome: Outcome) -> Reason {
    match outcome {
        Outcome::Failed { record, reason } => {
            assert_eq!(record.state, State::Failed);
            reason
        }
        other => panic!("not failed: {other:?}"),
    }
}

fn fail(method: &str, message: &str) -> Faults {
    Faults { fail: BTreeMap::from([(method.to_owned(), message.to_owned())]), ..Faults::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_wallet_pays() {
    let rig = Rig::new().await;
    let payment = payment();
    let before = rig.balance(PAYEE);
    let record = settled(rig.pay(&payment).await);
    assert_eq!(rig.balance(PAYEE) - before, U256::from(PRICE));
    let settlement = record.settlement.unwrap();
    assert_eq!(settlement.amount, U256::from(PRICE));
    let receipt = rig.devnet.receipt(settlement.transaction).unwrap();
    assert_eq!(receipt.block_hash, Some(settlement.block_hash));
    assert!(settlement.log_index.is_some());
    assert_eq!(rig.record(&payment).await.state, State::Settled);
    // A plain payment on a known asset costs one look at facts to verify, and one simulation to settle.
    let again = rig.verify(&payment).await.unwrap_err();
    assert_eq!(again, Refusal::Invalid(Reason::AuthorizationUsed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parity_of_zero_or_one_is_a_signature_too() {
    let rig = Rig::new().await;
    let mut payment = payment();
    let mut bytes = payment.payload.signature.to_vec();
    bytes[64] -= 27;
    payment.payload.signature = bytes.into();
    settled(rig.pay(&payment).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_all_settle() {
    let rig = Arc::new(Rig::new().await);
    let payments: Vec<_> = (0..64).map(|_| payment()).collect();
    let tasks: Vec<_> = payments
        .iter()
        .cloned()
        .map(|payment| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move { rig.pay(&payment).await })
        })
        .collect();
    for task in tasks {
        settled(task.await.unwrap());
    }
    assert_eq!(rig.balance(PAYEE), U256::from(64 * PRICE));
    let asked = rig.devnet.requests();
    assert!(asked["eth_sendRawTransaction"] == 64, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_smart_wallet_pays() {
    let rig = Rig::new().await;
    let wallet = rig.devnet.deploy_wallet(BUYER.address, U256::from(7)).unwrap();
    rig.devnet.mint(wallet, U256::from(PRICE)).unwrap();
    settled(rig.pay(&payment_of(&usdc(), wallet, BUYER)).await);
    assert_eq!(rig.balance(wallet), U256::ZERO);
    // Somebody else's key is not the wallet's.
    rig.devnet.mint(wallet, U256::from(PRICE)).unwrap();
    let forged = rig.verify(&payment_of(&usdc(), wallet, ACCOUNTS[3])).await.unwrap_err();
    assert_eq!(forged, Refusal::Invalid(Reason::Signature));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_for_an_account_without_code() {
    let rig = Rig::new().await;
    let forged = rig.verify(&payment_of(&usdc(), BUYER.address, ACCOUNTS[3])).await.unwrap_err();
    assert_eq!(forged, Refusal::Invalid(Reason::Signature));
    assert_eq!(rig.devnet.requests().get("eth_estimateGas"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegated_account_is_judged_by_its_code() {
    let rig = Rig::new().await;
    rig.devnet.delegate_to_wallet(BUYER.address, address!("0x7702000000000000000000000000000000000001"));
    settled(rig.pay(&payment()).await);
    // Its code now answers to somebody else: the key alone, though it recovers, is not enough.
    rig.devnet.set_slot(BUYER.address, U256::ZERO, U256::from_be_slice(ACCOUNTS[4].address.as_slice()));
    assert_eq!(rig.verify(&payment()).await.unwrap_err(), Refusal::Invalid(Reason::Signature));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_deployed_only_by_a_listed_factory() {
    let rig = Rig::with(|_, config| config.networks[0].factories = vec![contracts::WALLET_FACTORY]).await;
    let payment = counterfactual(&rig.devnet, BUYER, 1, contracts::WALLET_FACTORY);
    let wallet = payment.payload.authorization.from;
    rig.devnet.mint(wallet, U256::from(PRICE)).unwrap();
    settled(rig.pay(&payment).await);
    assert_eq!(rig.balance(wallet), U256::ZERO);
    // Deployed now: the same form of signature goes to the wallet itself.
    rig.devnet.mint(wallet, U256::from(PRICE)).unwrap();
    settled(rig.pay(&counterfactual(&rig.devnet, BUYER, 1, contracts::WALLET_FACTORY)).await);

    let hostile = counterfactual(&rig.devnet, BUYER, 2, rig.devnet.token());
    assert_eq!(rig.verify(&hostile).await.unwrap_err(), Refusal::Invalid(Reason::FactoryNotAllowed));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_factory_is_listed_by_default() {
    let rig = Rig::new().await;
    let payment = counterfactual(&rig.devnet, BUYER, 1, contracts::WALLET_FACTORY);
    rig.devnet.mint(payment.payload.authorization.from, U256::from(PRICE)).unwrap();
    assert_eq!(rig.verify(&payment).await.unwrap_err(), Refusal::Invalid(Reason::FactoryNotAllowed));
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_that_burn_gas_or_answer_at_length_are_refused() {
    let rig = Rig::new().await;
    for (code, address) in [
        (contracts::GAS_BURNER_CODE, address!("0x00000000000000000000000000000000000b0071")),
        (contracts::RETURN_BOMB_CODE, address!("0x00000000000000000000000000000000000b0072")),
    ] {
        rig.devnet.set_code(address, code);
        rig.devnet.mint(address, U256::from(PRICE)).unwrap();
        assert_eq!(rig.verify(&payment_of(&usdc(), address, BUYER)).await.unwrap_err(), Refusal::Invalid(Reason::Signature));
    }
    settled(rig.pay(&payment()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_says_of_the_payer_decides() {
    let rig = Rig::new().await;
    let (owner, token) = (devnet::TOKEN_OWNER.address, rig.devnet.token());
    let poor = payment_of(&usdc(), ACCOUNTS[5].address, ACCOUNTS[5]);
    let all = rig.balance(ACCOUNTS[5].address);
    rig.devnet.transact(ACCOUNTS[5].address, token, &contracts::Token::transferCall { to: BUYER.address, value: all }).unwrap();
    assert_eq!(rig.verify(&poor).await.unwrap_err(), Refusal::Invalid(Reason::InsufficientFunds));
    rig.devnet.transact(owner, token, &contracts::Token::blacklistCall { account: BUYER.address }).unwrap();
    assert_eq!(rig.verify(&payment()).await.unwrap_err(), Refusal::Invalid(Reason::PayerBlocked));
    rig.devnet.transact(owner, token, &contracts::Token::pauseCall {}).unwrap();
    assert_eq!(rig.verify(&payment()).await.unwrap_err(), Refusal::Invalid(Reason::AssetPaused));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chains_clock_counts_too() {
    let rig = Rig::new().await;
    let payment = payment();
    rig.devnet.increase_time(4_000);
    rig.devnet.mine(1);
    assert_eq!(rig.verify(&payment).await.unwrap_err(), Refusal::Invalid(Reason::ValidBefore));
}

#[tokio::test(flavor = "multi_thread")]
async fn zero_and_other_terms_are_refused_without_asking_the_chain() {
    let rig = Rig::new().await;
    let asked = rig.devnet.requests().get("eth_call").copied();
    let zero = signed(&usdc(), common::authorization(BUYER.address, 0), BUYER);
    assert_eq!(rig.verify(&zero).await.unwrap_err(), Refusal::Invalid(Reason::ValueMismatch));
    let mut other = payment();
    other.terms.pay_to = ACCOUNTS[6].address;
    assert_eq!(rig.verify(&other).await.unwrap_err(), Refusal::Invalid(Reason::RecipientMismatch));
    let mut unknown = payment();
    unknown.terms.asset.address = ACCOUNTS[6].address;
    assert_eq!(rig.verify(&unknown).await.unwrap_err(), Refusal::Invalid(Reason::Requirements));
    unknown.terms.asset.network = x402::Network::eip155(1);
    assert_eq!(rig.verify(&unknown).await.unwrap_err(), Refusal::Invalid(Reason::Network));
    assert_eq!(rig.devnet.requests().get("eth_call").copied(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn drained_between_verify_and_settle() {
    let rig = Rig::new().await;
    let claimed = rig.claim(&payment()).await;
    let all = rig.balance(BUYER.address);
    rig.devnet
        .transact(BUYER.address, rig.devnet.token(), &contracts::Token::transferCall { to: ACCOUNTS[2].address, value: all })
        .unwrap();
    assert_eq!(failed(rig.facilitator.settle(claimed).await), Reason::InsufficientFunds);
    assert_eq!(rig.devnet.requests().get("eth_sendRawTransaction"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_between_verify_and_settle() {
    let rig = Rig::new().await;
    let payment = payment();
    let claimed = rig.claim(&payment).await;
    cancel(&rig, &payment);
    assert_eq!(failed(rig.facilitator.settle(claimed).await), Reason::AuthorizationUsed);
    assert_eq!(rig.devnet.requests().get("eth_sendRawTransaction"), None);
}

/// The payer cancels, in a block of its own.
fn cancel(rig: &Rig, payment: &common::Payment) {
    use alloy::signers::SignerSync;
    use alloy_sol_types::SolValue;
    let domain = x402::eip712::domain_separator("USDC", "2", 84532, rig.devnet.token());
    let type_hash = alloy_primitives::keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    let (authorizer, nonce) = (payment.payload.authorization.from, payment.payload.authorization.nonce);
    let content = alloy_primitives::keccak256((type_hash, authorizer, nonce).abi_encode());
    let digest = alloy_primitives::keccak256([&[0x19, 0x01], domain.as_slice(), content.as_slice()].concat());
    let signature = BUYER.signer().sign_hash_sync(&digest).unwrap().as_bytes().into();
    let call = contracts::Token::cancelAuthorization_1Call { authorizer, nonce, signature };
    rig.devnet.transact(ACCOUNTS[3].address, rig.devnet.token(), &call).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_changes_its_mind_is_caught_by_the_last_simulation() {
    let rig = Rig::new().await;
    let wallet = rig.devnet.deploy_wallet(BUYER.address, U256::from(7)).unwrap();
    rig.devnet.mint(wallet, U256::from(PRICE)).unwrap();
    let claimed = rig.claim(&payment_of(&usdc(), wallet, BUYER)).await;
    rig.devnet.transact(BUYER.address, wallet, &contracts::Wallet::setOwnerCall { owner: ACCOUNTS[2].address }).unwrap();
    assert_eq!(failed(rig.facilitator.settle(claimed).await), Reason::Signature);
    assert_eq!(rig.devnet.requests().get("eth_sendRawTransaction"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_settles_before_us() {
    let rig = Rig::new().await;
    let payment = payment();
    let claimed = rig.claim(&payment).await;
    let receipt = rig.devnet.transact(ACCOUNTS[3].address, rig.devnet.token(), &payment.call()).unwrap();
    let record = settled(rig.facilitator.settle(claimed).await);
    assert_eq!(record.transaction().unwrap(), receipt.transaction_hash);
    assert_eq!(record.attempt, Some(Attempt::Foreign { transaction: receipt.transaction_hash }));
    assert_eq!(rig.balance(PAYEE), U256::from(PRICE));
    assert_eq!(rig.devnet.requests().get("eth_sendRawTransaction"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_overtakes_our_transaction() {
    let rig = Rig::new().await;
    rig.devnet.set_automine(false);
    let payment = payment();
    let claimed = rig.claim(&payment).await;
    let facilitator = rig.facilitator.clone();
    let settling = tokio::spawn(async move { facilitator.settle(claimed).await });
    until("our transaction waits", || async { rig.devnet.pool_status().0 == 1 }).await;
    let receipt = rig.devnet.transact(ACCOUNTS[3].address, rig.devnet.token(), &payment.call()).unwrap();
    rig.devnet.mine(1);
    let record = settled(settling.await.unwrap());
    assert_eq!(record.transaction().unwrap(), receipt.transaction_hash);
    assert_eq!(rig.balance(PAYEE), U256::from(PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_overtakes_us_is_no_settlement() {
    let rig = Rig::new().await;
    rig.devnet.set_automine(false);
    let payment = payment();
    let claimed = rig.claim(&payment).await;
    let facilitator = rig.facilitator.clone();
    let settling = tokio::spawn(async move { facilitator.settle(claimed).await });
    until("our transaction waits", || async { rig.devnet.pool_status().0 == 1 }).await;
    cancel(&rig, &payment);
    rig.devnet.mine(1);
    assert_eq!(failed(settling.await.unwrap()), Reason::AuthorizationUsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverted_transaction_fails_and_may_be_tried_again() {
    let rig = Rig::new().await;
    rig.devnet.set_faults(Faults { revert_next: 1, ..Faults::default() });
    let payment = payment();
    assert_eq!(failed(rig.pay(&payment).await), Reason::TransactionState);
    assert_eq!(rig.balance(PAYEE), U256::ZERO);
    settled(rig.pay(&payment).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_lies_settles_nothing_and_is_suspended() {
    let lies = [contracts::SILENT_TOKEN_CODE, contracts::FEE_TOKEN_CODE, contracts::DETOUR_TOKEN_CODE, contracts::FORGING_TOKEN_CODE];
    for code in lies {
        let token = address!("0x7070000000000000000000000000000000000001");
        let rig = Rig::with(|devnet, config| {
            devnet.add_token(token, code, U256::from(1_000_000)).unwrap();
            config.networks[0].assets.push(other_token(token));
        })
        .await;
        assert_eq!(failed(rig.pay(&payment_of(&other_token(token), BUYER.address, BUYER)).await), Reason::TransactionState);
        let again = rig.verify(&payment_of(&other_token(token), BUYER.address, BUYER)).await.unwrap_err();
        assert!(matches!(again, Refusal::NotReady { .. }), "{again:?}");
        // The others are not.
        settled(rig.pay(&payment()).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_replay_does_not_settle_but_the_strangers_transaction_does() {
    let token = address!("0x7070000000000000000000000000000000000001");
    let rig = Rig::with(|devnet, config| {
        devnet.add_token(token, contracts::QUIET_REPLAY_TOKEN_CODE, U256::from(1_000_000)).unwrap();
        config.networks[0].assets.push(other_token(token));
    })
    .await;
    let payment = payment_of(&other_token(token), BUYER.address, BUYER);
    let claimed = rig.claim(&payment).await;
    let receipt = rig.devnet.transact(ACCOUNTS[3].address, token, &payment.call()).unwrap();
    // Our simulation succeeds: the token says nothing. Our transaction succeeds, and proves nothing.
    let record = settled(rig.facilitator.settle(claimed).await);
    assert_eq!(record.transaction().unwrap(), receipt.transaction_hash);
    assert!(matches!(record.attempt, Some(Attempt::Own { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_no_failure() {
    let rig = Rig::new().await;
    rig.devnet.set_faults(Faults { drop_reply_after_accept: 1, ..Faults::default() });
    settled(rig.pay(&payment()).await);
    assert_eq!(rig.balance(PAYEE), U256::from(PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_mined_in_time_is_pending_and_settles_later() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(300)).await;
    rig.devnet.set_automine(false);
    rig.devnet.set_faults(Faults { drop_reply_after_accept: 1, ..Faults::default() });
    let payment = payment();
    let outcome = rig.pay(&payment).await;
    let Outcome::Pending { record } = outcome else { panic!("{outcome:?}") };
    assert_eq!(record.state, State::Unknown);
    let hash = record.transaction().unwrap();
    rig.devnet.mine(1);
    let record = rig.until_state(&payment, State::Settled).await;
    assert_eq!(record.settlement.unwrap().transaction, hash);
    assert_eq!(rig.balance(PAYEE), U256::from(PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_transaction_is_sent_again_with_the_same_bytes() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(100)).await;
    rig.devnet.set_automine(false);
    let payment = payment();
    let outcome = rig.pay(&payment).await;
    let Outcome::Pending { record } = outcome else { panic!("{outcome:?}") };
    let hash = record.transaction().unwrap();
    assert!(rig.devnet.evict(hash));
    until("it is back", || async { rig.devnet.pool_status().0 == 1 }).await;
    rig.devnet.mine(1);
    let record = rig.until_state(&payment, State::Settled).await;
    assert_eq!(record.settlement.unwrap().transaction, hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn written_bytes_are_resumed_after_a_restart() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(100)).await;
    rig.devnet.set_automine(false);
    let payment = payment();
    let outcome = rig.pay(&payment).await;
    let Outcome::Pending { record } = outcome else { panic!("{outcome:?}") };
    let hash = record.transaction().unwrap();
    assert!(rig.devnet.evict(hash));
    rig.devnet.set_automine(true);
    let rig = rig.restarted().await;
    let record = rig.until_state(&payment, State::Settled).await;
    assert_eq!(record.settlement.unwrap().transaction, hash);
    assert_eq!(rig.balance(PAYEE), U256::from(PRICE));
    rig.ready().await;
    settled(rig.pay(&common::payment()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_authorization_that_was_not_mined_has_failed() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(100)).await;
    rig.devnet.set_automine(false);
    let payment = payment();
    let outcome = rig.pay(&payment).await;
    let Outcome::Pending { record } = outcome else { panic!("{outcome:?}") };
    rig.devnet.set_faults(fail("eth_sendRawTransaction", "txpool is full"));
    assert!(rig.devnet.evict(record.transaction().unwrap()));
    rig.devnet.mine(1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(rig.record(&payment).await.state, State::Unknown, "it can still settle");
    rig.devnet.increase_time(4_000);
    rig.devnet.mine(1);
    let record = rig.until_state(&payment, State::Failed).await;
    assert_eq!(record.reason.as_deref(), Some(Reason::ValidBefore.code()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_down_releases_the_claim() {
    let rig = Rig::new().await;
    let payment = payment();
    let claimed = rig.claim(&payment).await;
    rig.devnet.set_faults(Faults { node_down: Some(Outage::Reset), ..Faults::default() });
    let outcome = rig.facilitator.settle(claimed).await;
    let Outcome::Unavailable { record: Some(record), .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(record.state, State::Released);
    assert!(matches!(rig.verify(&payment).await.unwrap_err(), Refusal::Unavailable { .. } | Refusal::NotReady { .. }));
    rig.devnet.set_faults(Faults::default());
    rig.ready().await;
    settled(rig.pay(&payment).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definite_refusal_leaves_no_gap() {
    let rig = Rig::new().await;
    settled(rig.pay(&payment()).await);
    rig.devnet.set_faults(fail("eth_sendRawTransaction", "replacement transaction underpriced"));
    let refused = payment();
    let outcome = rig.pay(&refused).await;
    let Outcome::Unavailable { record: Some(record), .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(record.state, State::Failed);
    rig.devnet.set_faults(Faults::default());
    // The nonce is used by the next one, and the refused payment may come again.
    settled(rig.pay(&payment()).await);
    settled(rig.pay(&refused).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_answer_to_a_broadcast_is_watched() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(200)).await;
    rig.devnet.set_faults(fail("eth_sendRawTransaction", "something new"));
    let payment = payment();
    let outcome = rig.pay(&payment).await;
    assert!(matches!(outcome, Outcome::Pending { .. }), "{outcome:?}");
    rig.devnet.set_faults(Faults::default());
    rig.until_state(&payment, State::Settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_uses_the_signers_account() {
    let rig = Rig::new().await;
    settled(rig.pay(&payment()).await);
    // Its account signs a call of the token in somebody else's hands.
    let transfer = contracts::Token::approveCall { spender: PAYEE, value: U256::ZERO };
    rig.devnet.transact(common::SIGNER.address, rig.devnet.token(), &transfer).unwrap();
    let taken = payment();
    let outcome = rig.pay(&taken).await;
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
    settled(rig.pay(&taken).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn finality_is_waited_for() {
    let rig = Rig::with(|_, config| config.networks[0].finality = facilitator::Finality::Blocks(3)).await;
    let payment = payment();
    let claimed = rig.claim(&payment).await;
    let facilitator = rig.facilitator.clone();
    let settling = tokio::spawn(async move { facilitator.settle(claimed).await });
    until("it is mined", || async { rig.balance(PAYEE) == U256::from(PRICE) }).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(rig.record(&payment).await.state, State::Submitted);
    rig.devnet.mine(2);
    settled(settling.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_is_not_ready() {
    let rig = Rig::unready(|devnet, _| devnet.set_faults(Faults { wrong_chain_id: Some(1), ..Faults::default() })).await;
    rig.why_not_ready("on chain 1, not 84532").await;
    assert!(matches!(rig.verify(&payment()).await.unwrap_err(), Refusal::NotReady { .. }));
    rig.devnet.set_faults(Faults::default());
    rig.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_domain_or_decimals_or_no_contract_are_not_ready() {
    let rig = Rig::unready(|_, config| config.networks[0].assets[0].name = "USD Coin".into()).await;
    rig.why_not_ready("DOMAIN_SEPARATOR").await;
    let rig = Rig::unready(|_, config| config.networks[0].assets[0].decimals = 18).await;
    rig.why_not_ready("6 decimals, not 18").await;
    let rig = Rig::unready(|_, config| config.networks[0].assets[0].id.address = PAYEE).await;
    rig.why_not_ready("no contract").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_without_gas_is_not_ready() {
    let rig = Rig::unready(|devnet, _| devnet.set_balance(common::SIGNER.address, U256::from(1))).await;
    rig.why_not_ready("too little for gas").await;
    rig.devnet.set_balance(common::SIGNER.address, U256::from(10).pow(U256::from(18)));
    rig.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_endpoint_stands_in() {
    let rig = Rig::with(|devnet, config| config.networks[0].rpc = vec!["http://127.0.0.1:1".into(), devnet.rpc_url()]).await;
    settled(rig.pay(&payment()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_another_chain_is_left_out() {
    let other = devnet::Devnet::start(devnet::Config { chain_id: 1, ..devnet::Config::default() }).unwrap();
    let rig = Rig::with(|devnet, config| config.networks[0].rpc = vec![other.rpc_url(), devnet.rpc_url()]).await;
    settled(rig.pay(&payment()).await);
    assert_eq!(other.requests().get("eth_sendRawTransaction"), None);
    assert_eq!(other.requests().get("eth_call"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_above_the_cap_are_not_paid() {
    let rig = Rig::with(|_, config| config.networks[0].gas.fee_cap = 1).await;
    let outcome = rig.pay(&payment()).await;
    assert!(matches!(&outcome, Outcome::Unavailable { why, .. } if why.contains("cap")), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_shutdown_nothing_is_sent() {
    let rig = Rig::new().await;
    let claimed = rig.claim(&payment()).await;
    rig.facilitator.shutdown().await;
    assert!(matches!(rig.facilitator.settle(claimed).await, Outcome::Unavailable { .. }));
    assert_eq!(rig.devnet.requests().get("eth_sendRawTransaction"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_verified_by_few_calls() {
    let rig = Arc::new(Rig::new().await);
    rig.devnet.set_faults(Faults { delay: BTreeMap::from([("eth_call".to_owned(), 200)]), ..Faults::default() });
    let before = rig.devnet.requests().get("eth_call").copied().unwrap_or_default();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move { rig.verify(&payment()).await.unwrap() })
        })
        .collect();
    for task in tasks {
        let verified = task.await.unwrap();
        assert_eq!(verified.verified.payment().payer(), BUYER.address);
    }
    let calls = rig.devnet.requests()["eth_call"] - before;
    assert!(calls <= 10, "{calls} calls for 100 payments");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_that_runs_dry_stops_the_offers_at_once() {
    let rig = Rig::new().await;
    let claimed = rig.claim(&payment()).await;
    rig.devnet.set_balance(common::SIGNER.address, U256::ZERO);
    let outcome = rig.facilitator.settle(claimed).await;
    let Outcome::Unavailable { record: Some(record), .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(record.state, State::Released);
    assert_eq!(rig.devnet.requests().get("eth_sendRawTransaction"), None);
    assert!(!rig.facilitator.readiness(&common::network()).is_ready());
    rig.devnet.set_balance(common::SIGNER.address, U256::from(10).pow(U256::from(18)));
    rig.ready().await;
    settled(rig.pay(&payment()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrue_nonce_too_low_does_not_stop_the_lane() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(200)).await;
    rig.devnet.set_faults(fail("eth_sendRawTransaction", "nonce too low"));
    let lied = payment();
    let outcome = rig.pay(&lied).await;
    assert!(matches!(outcome, Outcome::Pending { .. }), "{outcome:?}");
    rig.devnet.set_faults(Faults::default());
    let next = payment();
    drop(rig.pay(&next).await);
    rig.until_state(&lied, State::Settled).await;
    rig.until_state(&next, State::Settled).await;
    assert_eq!(rig.balance(PAYEE), U256::from(2 * PRICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_ends_unmined_does_not_stop_the_lane() {
    let rig = Rig::with(|_, config| config.settle_within = Duration::from_millis(200)).await;
    rig.devnet.set_faults(fail("eth_sendRawTransaction", "boom"));
    let (expired, taken, cancelled) = (payment(), payment(), payment());
    for payment in [&taken, &cancelled, &expired] {
        let outcome = rig.pay(payment).await;
        assert!(matches!(outcome, Outcome::Pending { .. }), "{outcome:?}");
    }
    rig.devnet.transact(ACCOUNTS[3].address, rig.devnet.token(), &taken.call()).unwrap();
    cancel(&rig, &cancelled);
    rig.until_state(&taken, State::Settled).await;
    rig.until_state(&cancelled, State::Failed).await;
    rig.devnet.increase_time(4_000);
    rig.devnet.mine(1);
    rig.until_state(&expired, State::Failed).await;
    rig.devnet.set_faults(Faults::default());
    let next = in_an_hour();
    drop(rig.pay(&next).await);
    rig.until_state(&next, State::Settled).await;
    assert_eq!(rig.balance(PAYEE), U256::from(2 * PRICE));
}

/// A payment for a chain whose clock is ahead.
fn in_an_hour() -> common::Payment {
    let mut authorization = common::authorization(BUYER.address, PRICE);
    authorization.valid_before += U256::from(8_000);
    signed(&usdc(), authorization, BUYER)
}

#[tokio::test(flavor = "multi_thread")]
async fn any_runtime_may_ask() {
    let rig = Arc::new(Rig::new().await);
    let wallet = rig.devnet.deploy_wallet(BUYER.address, U256::from(7)).unwrap();
    rig.devnet.mint(wallet, U256::from(2 * PRICE)).unwrap();
    for _ in 0..2 {
        // A data plane's runtime, gone after each payment; what it opened must not be what the next one uses.
        let rig = Arc::clone(&rig);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                settled(rig.pay(&payment()).await);
                settled(rig.pay(&payment_of(&usdc(), wallet, BUYER)).await);
            });
        });
        tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    }
}
