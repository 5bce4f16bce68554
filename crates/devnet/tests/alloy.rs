//! The devnet as alloy sees it: the token with all its ways to pay, and the node's good and bad days.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::{EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _};
use alloy::primitives::{Address, B256, Bytes, Signature, U256};
use alloy::providers::{DynProvider, Provider as _, ProviderBuilder};
use alloy::rpc::types::{Filter, TransactionReceipt, TransactionRequest};
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{Eip712Domain, SolCall, SolEvent as _, SolStruct, eip712_domain};
use devnet::contracts::{self, Facts, MULTICALL, Token};
use devnet::{ACCOUNTS, Config, Devnet, Faults, Orphans, Outage};

alloy::sol! {
    struct TransferWithAuthorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }
    struct CancelAuthorization {
        address authorizer;
        bytes32 nonce;
    }
    struct Permit {
        address owner;
        address spender;
        uint256 value;
        uint256 nonce;
        uint256 deadline;
    }
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }
    #[derive(Debug)]
    struct CallResult {
        bool success;
        bytes returnData;
    }
    struct Call3Value {
        address target;
        bool allowFailure;
        uint256 value;
        bytes callData;
    }
    function aggregate3(Call3[] calls) external payable returns (CallResult[] results);
    function aggregate3Value(Call3Value[] calls) external payable returns (CallResult[] results);
}

const PAYER: usize = 3;

struct Setup {
    devnet: Devnet,
    provider: DynProvider,
}

fn setup() -> Setup {
    setup_with(Config::default())
}

fn setup_with(config: Config) -> Setup {
    let devnet = Devnet::start(config).unwrap();
    let wallet = EthereumWallet::from(ACCOUNTS[0].signer());
    // Built with the whole workspace, the HTTP client comes without a TLS provider of its own. A second installation is refused, harmlessly.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let provider = ProviderBuilder::new().wallet(wallet).connect_http(devnet.rpc_url().parse().unwrap());
    provider.client().set_poll_interval(Duration::from_millis(10));
    Setup { devnet, provider: provider.erased() }
}

impl Setup {
    fn request<C: SolCall>(&self, call: &C) -> TransactionRequest {
        TransactionRequest::default().with_to(self.devnet.token()).with_input(call.abi_encode())
    }

    async fn send<C: SolCall>(&self, call: &C) -> TransactionReceipt {
        self.receipt(self.request(call)).await
    }

    /// Sends without an estimate, so that a call that reverts is mined as well.
    async fn send_blindly<C: SolCall>(&self, call: &C) -> TransactionReceipt {
        self.receipt(self.request(call).with_gas_limit(300_000)).await
    }

    async fn receipt(&self, request: TransactionRequest) -> TransactionReceipt {
        let pending = self.provider.send_transaction(request).await.unwrap();
        pending.with_timeout(Some(Duration::from_secs(20))).get_receipt().await.unwrap()
    }

    fn domain(&self) -> Eip712Domain {
        eip712_domain! {
            name: "USDC",
            version: "2",
            chain_id: self.devnet.chain_id(),
            verifying_contract: self.devnet.token(),
        }
    }

    fn sign<S: SolStruct>(&self, signer: &PrivateKeySigner, message: &S) -> Signature {
        signer.sign_hash_sync(&message.eip712_signing_hash(&self.domain())).unwrap()
    }

    fn authorization(&self, from: Address, to: Address, nonce: u8) -> TransferWithAuthorization {
        TransferWithAuthorization {
            from,
            to,
            value: U256::from(10_000),
            validAfter: U256::ZERO,
            validBefore: U256::from(self.devnet.timestamp() + 60),
            nonce: B256::repeat_byte(nonce),
        }
    }

    fn balance(&self, account: Address) -> u64 {
        self.devnet.token_balance(account).unwrap().to()
    }
}

fn with_bytes(a: &TransferWithAuthorization, signature: impl Into<Bytes>) -> Token::transferWithAuthorization_1Call {
    Token::transferWithAuthorization_1Call {
        from: a.from,
        to: a.to,
        value: a.value,
        validAfter: a.validAfter,
        validBefore: a.validBefore,
        nonce: a.nonce,
        signature: signature.into(),
    }
}

fn with_vrs(a: &TransferWithAuthorization, signature: &Signature) -> Token::transferWithAuthorization_0Call {
    Token::transferWithAuthorization_0Call {
        from: a.from,
        to: a.to,
        value: a.value,
        validAfter: a.validAfter,
        validBefore: a.validBefore,
        nonce: a.nonce,
        v: 27 + u8::from(signature.v()),
        r: signature.r().into(),
        s: signature.s().into(),
    }
}

fn payee() -> Address {
    Address::repeat_byte(0x77)
}

#[tokio::test]
async fn it_stands_for_base_sepolia() {
    let setup = setup();
    assert_eq!(setup.provider.get_chain_id().await.unwrap(), 84532);
    assert_eq!(setup.provider.get_net_version().await.unwrap(), 84532);
    let devnet = &setup.devnet;
    let token = devnet.token();
    assert_eq!(token.to_string(), "0x036CbD53842c5426634e7929541eC2318f3dCF7e");
    assert_eq!(devnet.read(token, &Token::nameCall {}).unwrap(), "USDC");
    assert_eq!(devnet.read(token, &Token::versionCall {}).unwrap(), "2");
    assert_eq!(devnet.read(token, &Token::decimalsCall {}).unwrap(), 6);
    assert_eq!(devnet.read(token, &Token::DOMAIN_SEPARATORCall {}).unwrap(), setup.domain().separator());
    assert!(!setup.provider.get_code_at(MULTICALL).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_transfer_is_mined_at_once_with_its_log() {
    let setup = setup();
    let receipt = setup.send(&Token::transferCall { to: payee(), value: U256::from(5) }).await;
    assert!(receipt.status());
    assert_eq!(setup.balance(payee()), 5);

    let filter = Filter::new().address(setup.devnet.token()).event_signature(Token::Transfer::SIGNATURE_HASH);
    let logs = setup.provider.get_logs(&filter.from_block(0)).await.unwrap();
    let [log] = logs.as_slice() else { panic!("one log, not {logs:?}") };
    assert_eq!(Token::Transfer::decode_log(&log.inner).unwrap().to, payee());
    assert_eq!((log.transaction_hash, log.log_index), (Some(receipt.transaction_hash), Some(0)));

    let block = setup.provider.get_block_by_number(BlockNumberOrTag::Latest).full().await.unwrap().unwrap();
    assert_eq!(Some(block.header.hash), receipt.block_hash);
    assert_eq!(block.header.hash, block.header.inner.hash_slow());
    assert_eq!(block.transactions.hashes().next(), Some(receipt.transaction_hash));
    let parent = setup.provider.get_block_by_number(BlockNumberOrTag::Earliest).await.unwrap().unwrap();
    assert_eq!(block.header.parent_hash, parent.header.hash);
}

#[tokio::test]
async fn an_authorization_pays_once_in_either_form() {
    let setup = setup();
    let payer = ACCOUNTS[PAYER].signer();
    let first = setup.authorization(payer.address(), payee(), 1);
    let signature = setup.sign(&payer, &first);
    let receipt = setup.send(&with_bytes(&first, signature.as_bytes())).await;
    assert!(receipt.status());
    assert_eq!(setup.balance(payee()), 10_000);
    let used = receipt.decoded_log::<Token::AuthorizationUsed>().unwrap();
    assert_eq!((used.authorizer, used.nonce), (payer.address(), first.nonce));

    let second = setup.authorization(payer.address(), payee(), 2);
    let signature = setup.sign(&payer, &second);
    assert!(setup.send(&with_vrs(&second, &signature)).await.status());
    assert_eq!(setup.balance(payee()), 20_000);

    let again = with_vrs(&second, &signature);
    let error = setup.provider.call(setup.request(&again)).await.unwrap_err();
    let error = error.as_error_resp().unwrap();
    assert_eq!((error.code, error.message.as_ref()), (3, "execution reverted: Token: authorization is used or canceled"));
    assert!(error.as_revert_data().is_some());
    let receipt = setup.send_blindly(&again).await;
    assert!(!receipt.status());
    assert!(receipt.logs().is_empty());
    assert_eq!(setup.balance(payee()), 20_000);
}

#[tokio::test]
async fn what_is_not_exactly_signed_does_not_pay() {
    let setup = setup();
    let payer = ACCOUNTS[PAYER].signer();
    let good = setup.authorization(payer.address(), payee(), 1);
    let signature = setup.sign(&payer, &good);
    let refused = async |call: &Token::transferWithAuthorization_1Call, reason: &str| {
        let error = setup.provider.call(setup.request(call)).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    let mut dearer = with_bytes(&good, signature.as_bytes());
    dearer.value += U256::ONE;
    refused(&dearer, "invalid signature").await;
    // The mirrored signature recovers to the same address, and is not accepted.
    let order = U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap();
    let mirrored = Signature::new(signature.r(), order - signature.s(), !signature.v());
    assert_eq!(mirrored.recover_address_from_prehash(&good.eip712_signing_hash(&setup.domain())).unwrap(), payer.address());
    refused(&with_bytes(&good, mirrored.as_bytes()), "invalid signature").await;

    let mut late = setup.authorization(payer.address(), payee(), 2);
    late.validBefore = U256::from(setup.devnet.timestamp());
    let signature = setup.sign(&payer, &late);
    refused(&with_bytes(&late, signature.as_bytes()), "expired").await;
    let mut early = setup.authorization(payer.address(), payee(), 3);
    early.validAfter = U256::from(setup.devnet.timestamp() + 1_000);
    early.validBefore = early.validAfter + U256::from(60);
    let signature = setup.sign(&payer, &early);
    refused(&with_bytes(&early, signature.as_bytes()), "not yet valid").await;
    setup.devnet.increase_time(1_001);
    assert!(setup.send(&with_bytes(&early, signature.as_bytes())).await.status());
}

#[tokio::test]
async fn a_cancelled_authorization_is_used() {
    let setup = setup();
    let payer = ACCOUNTS[PAYER].signer();
    let authorization = setup.authorization(payer.address(), payee(), 1);
    let payment = with_bytes(&authorization, setup.sign(&payer, &authorization).as_bytes());
    let cancel = CancelAuthorization { authorizer: payer.address(), nonce: authorization.nonce };
    let receipt = setup
        .send(&Token::cancelAuthorization_1Call {
            authorizer: cancel.authorizer,
            nonce: cancel.nonce,
            signature: setup.sign(&payer, &cancel).as_bytes().into(),
        })
        .await;
    assert!(receipt.decoded_log::<Token::AuthorizationCanceled>().is_some());
    assert!(!setup.send_blindly(&payment).await.status());
    assert_eq!(setup.balance(payee()), 0);
}

#[tokio::test]
async fn a_permit_lets_another_spend() {
    let setup = setup();
    let payer = ACCOUNTS[PAYER].signer();
    let spender = ACCOUNTS[0].address;
    let permit = Permit { owner: payer.address(), spender, value: U256::from(7), nonce: U256::ZERO, deadline: U256::MAX };
    let signature = setup.sign(&payer, &permit);
    let call = Token::permit_0Call {
        owner: permit.owner,
        spender,
        value: permit.value,
        deadline: permit.deadline,
        v: 27 + u8::from(signature.v()),
        r: signature.r().into(),
        s: signature.s().into(),
    };
    assert!(setup.send(&call).await.status());
    let spend = |value: u64| Token::transferFromCall { from: permit.owner, to: payee(), value: U256::from(value) };
    assert!(!setup.send_blindly(&spend(8)).await.status());
    assert!(setup.send(&spend(7)).await.status());
    assert_eq!(setup.balance(payee()), 7);
    assert!(!setup.send_blindly(&call).await.status(), "a permit is good once");
}

#[tokio::test]
async fn wallets_with_code_pay_with_their_owners_signature() {
    let setup = setup();
    let owner = ACCOUNTS[PAYER].signer();
    let salt = U256::from(1);
    let before = setup.devnet.wallet_address(owner.address(), salt).unwrap();
    assert!(setup.provider.get_code_at(before).await.unwrap().is_empty());
    let wallet = setup.devnet.deploy_wallet(owner.address(), salt).unwrap();
    assert_eq!(wallet, before);
    setup.devnet.mint(wallet, U256::from(10_000)).unwrap();
    let authorization = setup.authorization(wallet, payee(), 1);
    let stranger = setup.sign(&ACCOUNTS[PAYER + 1].signer(), &authorization);
    assert!(!setup.send_blindly(&with_bytes(&authorization, stranger.as_bytes())).await.status());
    let signature = setup.sign(&owner, &authorization);
    assert!(setup.send(&with_bytes(&authorization, signature.as_bytes())).await.status());
    assert_eq!(setup.balance(payee()), 10_000);

    // An account that delegates to the wallet's code answers to its own key.
    setup.devnet.delegate_to_wallet(owner.address(), Address::repeat_byte(0x17));
    let authorization = setup.authorization(owner.address(), payee(), 2);
    let signature = setup.sign(&owner, &authorization);
    assert!(setup.send(&with_bytes(&authorization, signature.as_bytes())).await.status());
    assert_eq!(setup.balance(payee()), 20_000);
}

#[tokio::test]
async fn hostile_wallets_cost_gas() {
    let setup = setup();
    let hostile = Address::repeat_byte(0x66);
    setup.devnet.mint(hostile, U256::from(10_000)).unwrap();
    let payment = with_bytes(&setup.authorization(hostile, payee(), 1), vec![0; 65]);
    for code in [contracts::GAS_BURNER_CODE, contracts::RETURN_BOMB_CODE] {
        setup.devnet.set_code(hostile, code);
        let receipt = setup.send_blindly(&payment).await;
        assert!(!receipt.status());
        assert!(receipt.gas_used > 250_000, "{}", receipt.gas_used);
    }
    setup.devnet.set_code(hostile, contracts::GAS_BURNER_CODE);
    setup.devnet.set_slot(hostile, U256::ZERO, U256::from(100_000));
    let receipt = setup.send_blindly(&payment).await;
    assert!(receipt.status());
    assert!(receipt.gas_used > 150_000, "{}", receipt.gas_used);
}

#[tokio::test]
async fn lying_tokens_succeed_without_paying() {
    let setup = setup();
    let payer = ACCOUNTS[PAYER].signer();
    let cases: [(&[u8], u64, usize); 4] = [
        (contracts::SILENT_TOKEN_CODE, 0, 1),
        (contracts::FEE_TOKEN_CODE, 9_900, 3),
        (contracts::DETOUR_TOKEN_CODE, 0, 2),
        (contracts::FORGING_TOKEN_CODE, 0, 2),
    ];
    for (index, (code, paid, logs)) in cases.into_iter().enumerate() {
        let token = Address::repeat_byte(0x20 + index as u8);
        setup.devnet.add_token(token, code, U256::from(1_000_000)).unwrap();
        let authorization = setup.authorization(payer.address(), payee(), 1);
        let domain = Eip712Domain { verifying_contract: Some(token), ..setup.domain() };
        let signature = payer.sign_hash_sync(&authorization.eip712_signing_hash(&domain)).unwrap();
        let call = with_bytes(&authorization, signature.as_bytes());
        let receipt = setup.devnet.transact(ACCOUNTS[0].address, token, &call).unwrap();
        assert!(receipt.status());
        assert_eq!(receipt.logs().len(), logs);
        let balance = setup.devnet.read(token, &Token::balanceOfCall { account: payee() }).unwrap();
        assert_eq!(balance, U256::from(paid));
    }
    let token = Address::repeat_byte(0x30);
    setup.devnet.add_token(token, contracts::QUIET_REPLAY_TOKEN_CODE, U256::from(1_000_000)).unwrap();
    let authorization = setup.authorization(payer.address(), payee(), 1);
    let domain = Eip712Domain { verifying_contract: Some(token), ..setup.domain() };
    let signature = payer.sign_hash_sync(&authorization.eip712_signing_hash(&domain)).unwrap();
    let call = with_bytes(&authorization, signature.as_bytes());
    for logs in [2, 1] {
        let receipt = setup.devnet.transact(ACCOUNTS[0].address, token, &call).unwrap();
        assert_eq!((receipt.status(), receipt.logs().len()), (true, logs));
    }
}

#[tokio::test]
async fn facts_of_many_payers_come_in_one_call() {
    let setup = setup();
    let payer = ACCOUNTS[PAYER].signer();
    let authorization = setup.authorization(payer.address(), payee(), 1);
    let signature = setup.sign(&payer, &authorization);
    setup.send(&with_bytes(&authorization, signature.as_bytes())).await;
    let blocked = ACCOUNTS[4].address;
    setup.devnet.transact(devnet::TOKEN_OWNER.address, setup.devnet.token(), &Token::blacklistCall { account: blocked }).unwrap();

    let read = async |token: Address| {
        let payers = vec![payer.address(), blocked, MULTICALL];
        let nonces = vec![authorization.nonce; 3];
        let data = contracts::facts_call(token, payers, nonces);
        let request = TransactionRequest::default().with_input(data);
        let output = setup.provider.call(request).block(BlockId::latest()).await?;
        Ok::<_, alloy::transports::TransportError>(Facts::readCall::abi_decode_returns(&output).unwrap())
    };
    let facts = read(setup.devnet.token()).await.unwrap();
    assert_eq!(facts.blockNumber, U256::from(setup.devnet.block_number()));
    assert!(facts.timestamp.to::<u64>().abs_diff(setup.devnet.timestamp()) < 60);
    assert!(!facts.paused);
    let row = |size: usize, balance: u64, nonce_used, blacklisted| Facts::Row {
        codeSize: U256::from(size),
        balance: U256::from(balance),
        nonceUsed: nonce_used,
        blacklisted,
    };
    assert_eq!(
        facts.rows,
        [
            row(0, 1_000_000_000_000 - 10_000, true, false),
            row(0, 1_000_000_000_000, false, true),
            row(contracts::MULTICALL_CODE.len(), 0, false, false),
        ]
    );
    setup.devnet.transact(devnet::TOKEN_OWNER.address, setup.devnet.token(), &Token::pauseCall {}).unwrap();
    assert!(read(setup.devnet.token()).await.unwrap().paused);
    let error = read(MULTICALL).await.unwrap_err().to_string();
    assert!(error.contains("not an EIP-3009 token"), "{error}");
}

/// A token that answers `balanceOf` and `authorizationState` with one; everything else ends as `otherwise` says.
fn bare_token(otherwise: [u8; 4]) -> Vec<u8> {
    let select = [0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x80, 0x63, 0x70, 0xa0, 0x82, 0x31, 0x14, 0x60, 0x1c, 0x57];
    let or_select = [0x63, 0xe9, 0x4a, 0x01, 0x02, 0x14, 0x60, 0x1c, 0x57];
    let one = [0x5b, 0x60, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3];
    [select.as_slice(), &or_select, &otherwise, &one].concat()
}

#[tokio::test]
async fn facts_come_from_tokens_without_pause_and_block_list() {
    let setup = setup();
    let token = Address::repeat_byte(0x44);
    let reverts = [0x5f, 0x5f, 0xfd, 0x00];
    let never_ends = [0x5b, 0x60, 0x18, 0x56];
    for otherwise in [reverts, never_ends] {
        setup.devnet.set_code(token, &bare_token(otherwise));
        let data = contracts::facts_call(token, vec![payee(); 2], vec![B256::ZERO; 2]);
        let output = setup.provider.call(TransactionRequest::default().with_input(data)).await.unwrap();
        let facts = Facts::readCall::abi_decode_returns(&output).unwrap();
        let row = Facts::Row { codeSize: U256::ZERO, balance: U256::ONE, nonceUsed: true, blacklisted: false };
        assert_eq!((facts.paused, facts.rows), (false, vec![row.clone(), row]));
    }
    let uneven = contracts::facts_call(token, vec![payee()], vec![]);
    let error = setup.provider.call(TransactionRequest::default().with_input(uneven)).await.unwrap_err();
    assert!(error.to_string().contains("as many nonces as payers"), "{error}");
}

#[tokio::test]
async fn facts_fit_for_190_payers() {
    let setup = setup();
    let payers = vec![ACCOUNTS[PAYER].address; 190];
    let data = contracts::facts_call(setup.devnet.token(), payers, vec![B256::ZERO; 190]);
    let output = setup.provider.call(TransactionRequest::default().with_input(data)).await.unwrap();
    assert_eq!(Facts::readCall::abi_decode_returns(&output).unwrap().rows.len(), 190);
}

#[tokio::test]
async fn multicall_goes_on_where_a_call_may_fail() {
    let setup = setup();
    let call =
        |allow_failure, call_data: Vec<u8>| Call3 { target: setup.devnet.token(), allowFailure: allow_failure, callData: call_data.into() };
    let good = Token::decimalsCall {}.abi_encode();
    let bad = Token::transferCall { to: payee(), value: U256::ONE }.abi_encode();
    let batch = |calls| TransactionRequest::default().with_to(MULTICALL).with_input(aggregate3Call { calls }.abi_encode());
    let output = setup.provider.call(batch(vec![call(true, bad.clone()), call(false, good)])).await.unwrap();
    let results = aggregate3Call::abi_decode_returns(&output).unwrap();
    assert_eq!(results.iter().map(|result| result.success).collect::<Vec<_>>(), [false, true]);
    assert!(setup.provider.call(batch(vec![call(false, bad)])).await.is_err());
}

#[tokio::test]
async fn multicall_hands_on_exactly_what_it_gets() {
    let setup = setup();
    let calls = [3, 4].map(|value| Call3Value { target: payee(), allowFailure: false, value: U256::from(value), callData: Bytes::new() });
    let request = TransactionRequest::default().with_to(MULTICALL).with_input(aggregate3ValueCall { calls: calls.into() }.abi_encode());
    assert!(setup.provider.call(request.clone().with_value(U256::from(8))).await.is_err());
    assert!(setup.receipt(request.with_value(U256::from(7))).await.status());
    assert_eq!(setup.devnet.balance(payee()), U256::from(7));
}

#[tokio::test]
async fn gaps_wait_and_refusals_have_geths_words() {
    let setup = setup_with(Config { automine: false, ..Config::default() });
    let signer = EthereumWallet::from(ACCOUNTS[1].signer());
    let raw = async |nonce: u64, fee: u128, gas: u64| {
        let request = TransactionRequest::default()
            .with_to(payee())
            .with_value(U256::from(1))
            .with_nonce(nonce)
            .with_gas_limit(gas)
            .with_chain_id(84532)
            .with_max_fee_per_gas(fee)
            .with_max_priority_fee_per_gas(fee);
        alloy::eips::eip2718::Encodable2718::encoded_2718(&request.build(&signer).await.unwrap())
    };
    let send = async |nonce, fee, gas| {
        let sent = setup.provider.send_raw_transaction(&raw(nonce, fee, gas).await).await;
        sent.map(|pending| *pending.tx_hash()).map_err(|error| error.as_error_resp().unwrap().message.to_string())
    };
    let fee = 10_000_000;
    send(1, fee, 21_000).await.unwrap();
    setup.devnet.mine(1);
    assert_eq!(setup.devnet.pool_status(), (0, 1));
    let first = send(0, fee, 21_000).await.unwrap();
    assert_eq!(setup.devnet.pool_status(), (2, 0));
    assert_eq!(setup.provider.get_transaction_count(ACCOUNTS[1].address).pending().await.unwrap(), 2);
    assert_eq!(setup.provider.get_transaction_count(ACCOUNTS[1].address).await.unwrap(), 0);
    assert_eq!(send(0, fee, 21_000).await.unwrap_err(), "already known");
    assert_eq!(send(0, fee + 1, 21_000).await.unwrap_err(), "replacement transaction underpriced");
    let second = send(0, fee * 11 / 10, 21_000).await.unwrap();
    setup.devnet.mine(1);
    assert!(setup.provider.get_transaction_receipt(first).await.unwrap().is_none());
    assert!(setup.provider.get_transaction_receipt(second).await.unwrap().is_some());
    assert_eq!(setup.devnet.pool_status(), (0, 0));
    assert_eq!(send(0, fee, 21_001).await.unwrap_err(), "nonce too low: next nonce 2, tx nonce 0");
    assert_eq!(send(2, fee, 20_999).await.unwrap_err(), "intrinsic gas too low: gas 20999, minimum needed 21000");
    assert_eq!(send(2, fee, 60_000_001).await.unwrap_err(), "exceeds block gas limit");
    let error = send(2, u128::from(u64::MAX), 50_000_000).await.unwrap_err();
    assert!(error.starts_with("insufficient funds for gas * price + value: balance 99999"), "{error}");
}

#[tokio::test]
async fn a_transaction_under_the_base_fee_waits() {
    let setup = setup_with(Config { automine: false, ..Config::default() });
    let request = setup.request(&Token::transferCall { to: payee(), value: U256::ONE });
    let hash = *setup.provider.send_transaction(request).await.unwrap().tx_hash();
    setup.devnet.set_next_base_fee(1_000_000_000);
    setup.devnet.mine(1);
    assert!(setup.devnet.receipt(hash).is_none());
    assert_eq!(setup.devnet.pool_status(), (1, 0));
    setup.devnet.set_next_base_fee(1_000_000);
    setup.devnet.mine(1);
    assert!(setup.devnet.receipt(hash).is_some());
}

#[tokio::test]
async fn a_reorg_takes_transactions_back() {
    for orphans in [Orphans::Dropped, Orphans::Pooled] {
        let setup = setup();
        let before = setup.balance(payee());
        let receipt = setup.send(&Token::transferCall { to: payee(), value: U256::from(5) }).await;
        setup.devnet.mine(1);
        let head = setup.provider.get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().unwrap();
        setup.devnet.reorg(2, orphans).unwrap();
        let new = setup.provider.get_block_by_number(BlockNumberOrTag::Latest).await.unwrap().unwrap();
        assert_eq!(new.header.number, head.header.number);
        assert_ne!(new.header.hash, head.header.hash);
        assert!(setup.provider.get_transaction_receipt(receipt.transaction_hash).await.unwrap().is_none());
        assert!(setup.provider.get_block_by_hash(head.header.hash).await.unwrap().is_none());
        assert_eq!(setup.balance(payee()), before);
        setup.devnet.mine(1);
        let back = setup.provider.get_transaction_receipt(receipt.transaction_hash).await.unwrap();
        assert_eq!(back.is_some_and(|back| back.status()), orphans == Orphans::Pooled);
        assert!(setup.devnet.reorg(1_000, Orphans::Dropped).is_err());
    }
}

#[tokio::test]
async fn a_snapshot_brings_everything_back() {
    let setup = setup();
    let snapshot = setup.devnet.snapshot();
    setup.devnet.set_balance(payee(), U256::from(3));
    setup.send(&Token::transferCall { to: payee(), value: U256::from(5) }).await;
    let nonce = setup.provider.get_transaction_count(ACCOUNTS[0].address).await.unwrap();
    setup.devnet.revert(snapshot).unwrap();
    assert_eq!((setup.devnet.block_number(), setup.balance(payee())), (0, 0));
    assert_eq!(setup.provider.get_balance(payee()).await.unwrap(), U256::ZERO);
    assert_eq!(setup.provider.get_transaction_count(ACCOUNTS[0].address).await.unwrap(), nonce - 1);
    assert!(setup.devnet.revert(snapshot).is_err());
}

#[tokio::test]
async fn a_dropped_reply_does_not_undo_the_transaction() {
    let setup = setup();
    setup.devnet.set_faults(Faults { drop_reply_after_accept: 1, ..Faults::default() });
    let transfer = Token::transferCall { to: payee(), value: U256::from(5) };
    let request = setup.request(&transfer).with_gas_limit(100_000);
    assert!(setup.provider.send_transaction(request).await.is_err());
    assert_eq!(setup.balance(payee()), 5);
    assert_eq!(setup.devnet.faults(), Faults::default());
}

#[tokio::test]
async fn a_stale_head_knows_nothing_of_later_blocks() {
    let setup = setup();
    setup.devnet.mine(3);
    let receipt = setup.send(&Token::transferCall { to: payee(), value: U256::from(5) }).await;
    setup.devnet.set_faults(Faults { stale_head: 2, ..Faults::default() });
    assert_eq!(setup.provider.get_block_number().await.unwrap(), 2);
    assert!(setup.provider.get_transaction_receipt(receipt.transaction_hash).await.unwrap().is_none());
    assert_eq!(setup.balance(payee()), 0);
    setup.devnet.set_faults(Faults::default());
    assert_eq!(setup.provider.get_block_number().await.unwrap(), 4);
    assert_eq!(setup.balance(payee()), 5);
}

#[tokio::test]
async fn faults_come_over_the_wire_and_go() {
    let setup = setup();
    let faults = serde_json::json!({
        "wrong_chain_id": 1,
        "revert_next": 1,
        "delay": { "eth_blockNumber": 1 },
        "fail": { "eth_gasPrice": "rate limited" },
    });
    let held: Faults = setup.provider.raw_request("devnet_faults".into(), (faults,)).await.unwrap();
    assert_eq!(held.wrong_chain_id, Some(1));
    assert_eq!(setup.provider.get_chain_id().await.unwrap(), 1);
    assert_eq!(setup.provider.get_block_number().await.unwrap(), 0);
    assert!(setup.provider.get_gas_price().await.unwrap_err().to_string().contains("rate limited"));
    let call = Token::transferCall { to: payee(), value: U256::from(5) };
    let token = setup.devnet.token();
    assert!(!setup.devnet.transact(ACCOUNTS[0].address, token, &call).unwrap().status());
    assert!(setup.devnet.transact(ACCOUNTS[0].address, token, &call).unwrap().status());
    let unknown: Result<Faults, _> = setup.provider.raw_request("devnet_faults".into(), ([("typo", 1)],)).await;
    assert!(unknown.is_err());
}

#[tokio::test]
async fn a_node_that_is_down_can_be_brought_back() {
    let setup = setup();
    for outage in [Outage::Reset, Outage::Status500] {
        setup.devnet.set_faults(Faults { node_down: Some(outage), ..Faults::default() });
        assert!(setup.provider.get_block_number().await.is_err());
        let healed: Faults = setup.provider.raw_request("devnet_faults".into(), (serde_json::json!({}),)).await.unwrap();
        assert_eq!(healed, Faults::default());
        assert!(setup.provider.get_block_number().await.is_ok());
    }
}

#[tokio::test]
async fn an_interval_mines_without_transactions() {
    let setup = setup_with(Config { interval: Some(Duration::from_millis(5)), ..Config::default() });
    while setup.provider.get_block_number().await.unwrap() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    setup.devnet.set_interval(None);
}

#[tokio::test]
async fn state_overrides_hold_for_one_call() {
    let setup = setup();
    let call = setup.request(&Token::transferCall { to: payee(), value: U256::ONE }).with_from(payee());
    assert!(setup.provider.call(call.clone()).await.is_err());
    let stand_in = alloy::rpc::types::state::AccountOverride::default().with_code(vec![0x60, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    let output = setup.provider.call(call.clone()).account_override(setup.devnet.token(), stand_in).await.unwrap();
    assert_eq!(U256::from_be_slice(&output), U256::ONE);
    assert!(setup.provider.call(call).await.is_err());
}

#[tokio::test]
async fn an_occupied_port_is_named() {
    let setup = setup();
    let error = Devnet::start(Config { port: setup.devnet.address().port(), ..Config::default() }).unwrap_err();
    assert!(error.to_string().contains(&setup.devnet.address().to_string()), "{error}");
}

#[tokio::test]
async fn it_ends_when_dropped() {
    let Setup { devnet, provider } = setup();
    provider.get_block_number().await.unwrap();
    let address = devnet.address();
    drop(devnet);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
