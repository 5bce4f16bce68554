//! The token's own guards: who may do what, and when nobody may.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use alloy::primitives::{Address, B256, U256};
use alloy::signers::SignerSync as _;
use alloy::sol_types::{Eip712Domain, SolCall, SolStruct as _, eip712_domain};
use devnet::contracts::{TOKEN, TOKEN_CODE, Token};
use devnet::{ACCOUNTS, Config, Devnet, RpcError, TOKEN_OWNER};

alloy::sol! {
    struct ReceiveWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }
}

const PAYER: usize = 1;
const PAYEE: usize = 2;

fn devnet() -> Devnet {
    Devnet::start(Config::default()).unwrap()
}

fn domain() -> Eip712Domain {
    eip712_domain! { name: "USDC", version: "2", chain_id: 84532, verifying_contract: TOKEN, }
}

#[track_caller]
fn refused<C: SolCall>(devnet: &Devnet, from: Address, call: &C, reason: &str) {
    let error = devnet.transact(from, TOKEN, call).unwrap_err();
    assert!(matches!(error, RpcError::Reverted(_)), "{error}");
    assert!(error.to_string().ends_with(reason), "{error}");
}

#[track_caller]
fn accepted<C: SolCall>(devnet: &Devnet, from: Address, call: &C) {
    assert!(devnet.transact(from, TOKEN, call).unwrap().status());
}

fn transfer(to: Address) -> Token::transferCall {
    Token::transferCall { to, value: U256::ONE }
}

#[test]
fn only_the_owner_rules() {
    let devnet = devnet();
    let (stranger, reason) = (ACCOUNTS[PAYER].address, "caller is not the owner");
    refused(&devnet, stranger, &Token::mintCall { to: stranger, value: U256::ONE }, reason);
    refused(&devnet, stranger, &Token::pauseCall {}, reason);
    refused(&devnet, stranger, &Token::unpauseCall {}, reason);
    refused(&devnet, stranger, &Token::blacklistCall { account: stranger }, reason);
    refused(&devnet, stranger, &Token::unBlacklistCall { account: stranger }, reason);
    let again = Token::initializeCall { name: String::new(), symbol: String::new(), version: String::new(), decimals: 6, owner: stranger };
    refused(&devnet, stranger, &again, "already initialized");
    let fresh = Address::repeat_byte(0x99);
    devnet.set_code(fresh, TOKEN_CODE);
    let nobody = Token::initializeCall { owner: Address::ZERO, ..again };
    assert!(devnet.transact(stranger, fresh, &nobody).unwrap_err().to_string().ends_with("owner is zero"));
}

#[test]
fn a_paused_token_stands_still() {
    let devnet = devnet();
    let payer = ACCOUNTS[PAYER].address;
    let approve = Token::approveCall { spender: ACCOUNTS[PAYEE].address, value: U256::MAX };
    accepted(&devnet, payer, &approve);
    accepted(&devnet, TOKEN_OWNER.address, &Token::pauseCall {});
    let spend = Token::transferFromCall { from: payer, to: payer, value: U256::ONE };
    refused(&devnet, payer, &transfer(payer), "paused");
    refused(&devnet, payer, &approve, "paused");
    refused(&devnet, ACCOUNTS[PAYEE].address, &spend, "paused");
    refused(&devnet, ACCOUNTS[PAYEE].address, &receive(PAYEE), "paused");
    accepted(&devnet, TOKEN_OWNER.address, &Token::unpauseCall {});
    accepted(&devnet, payer, &transfer(payer));
}

#[test]
fn a_blacklisted_account_neither_pays_nor_is_paid() {
    let devnet = devnet();
    let (blocked, other) = (ACCOUNTS[PAYER].address, ACCOUNTS[PAYEE].address);
    accepted(&devnet, TOKEN_OWNER.address, &Token::blacklistCall { account: blocked });
    assert!(devnet.read(TOKEN, &Token::isBlacklistedCall { account: blocked }).unwrap());
    refused(&devnet, blocked, &transfer(other), "account is blacklisted");
    refused(&devnet, other, &transfer(blocked), "account is blacklisted");
    refused(&devnet, other, &receive(PAYEE), "account is blacklisted");
    refused(&devnet, other, &Token::approveCall { spender: blocked, value: U256::ONE }, "account is blacklisted");
    accepted(&devnet, TOKEN_OWNER.address, &Token::unBlacklistCall { account: blocked });
    accepted(&devnet, blocked, &transfer(other));
}

#[test]
fn money_cannot_vanish() {
    let devnet = devnet();
    let payer = ACCOUNTS[PAYER].address;
    refused(&devnet, payer, &transfer(Address::ZERO), "address is zero");
    let all = devnet.token_balance(payer).unwrap();
    let too_much = Token::transferCall { to: ACCOUNTS[PAYEE].address, value: all + U256::ONE };
    refused(&devnet, payer, &too_much, "balance too low");
    let spend = Token::transferFromCall { from: payer, to: payer, value: U256::ONE };
    refused(&devnet, ACCOUNTS[PAYEE].address, &spend, "allowance too low");
    accepted(&devnet, payer, &Token::transferCall { to: payer, value: all });
    assert_eq!(devnet.token_balance(payer).unwrap(), all);
}

/// What the payer signed for account `payee` to fetch.
fn receive(payee: usize) -> Token::receiveWithAuthorization_1Call {
    let payer = ACCOUNTS[PAYER];
    let message = ReceiveWithAuthorization {
        from: payer.address,
        to: ACCOUNTS[payee].address,
        value: U256::from(10_000),
        validAfter: U256::ZERO,
        validBefore: U256::MAX,
        nonce: B256::repeat_byte(1),
    };
    let signature = payer.signer().sign_hash_sync(&message.eip712_signing_hash(&domain())).unwrap();
    Token::receiveWithAuthorization_1Call {
        from: message.from,
        to: message.to,
        value: message.value,
        validAfter: message.validAfter,
        validBefore: message.validBefore,
        nonce: message.nonce,
        signature: signature.as_bytes().into(),
    }
}

#[test]
fn only_the_payee_fetches() {
    let devnet = devnet();
    let call = receive(PAYEE);
    refused(&devnet, ACCOUNTS[3].address, &call, "caller is not the payee");
    let transfer = Token::transferWithAuthorization_1Call {
        from: call.from,
        to: call.to,
        value: call.value,
        validAfter: call.validAfter,
        validBefore: call.validBefore,
        nonce: call.nonce,
        signature: call.signature.clone(),
    };
    refused(&devnet, ACCOUNTS[3].address, &transfer, "invalid signature");
    accepted(&devnet, ACCOUNTS[PAYEE].address, &call);
    refused(&devnet, ACCOUNTS[PAYEE].address, &call, "used or canceled");
}
