//! The handle: a running devnet, commanded from Rust.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use alloy::consensus::transaction::SignerRecoverable as _;
use alloy::eips::BlockId;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::accounts::{ACCOUNTS, TOKEN_OWNER};
use crate::chain::{Chain, CommandError, Orphans};
use crate::contracts::{
    MULTICALL, MULTICALL_CODE, TOKEN, TOKEN_CODE, Token, WALLET_CODE, WALLET_FACTORY, WALLET_FACTORY_CODE, WalletFactory, initialize_token,
};
use crate::faults::Faults;
use crate::rpc::{self, Node, RpcError};
use crate::server;

/// How a devnet starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// TCP port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    pub chain_id: u64,
    /// Whether each transaction gets a block at once.
    pub automine: bool,
    /// Mines a block, be it empty, each time so much has passed; may be combined with `automine`.
    pub interval: Option<Duration>,
    /// The least base fee, in wei per gas. The chain starts with it.
    pub base_fee: u64,
    /// Balances at the start, in wei.
    pub balances: Vec<(Address, U256)>,
    /// Token balances at the start, in atomic units.
    pub token_balances: Vec<(Address, U256)>,
}

impl Default for Config {
    /// Base Sepolia on a free port, mining at once; the ten development accounts hold 10,000 ether and 1,000,000 USDC each.
    fn default() -> Self {
        let ether = U256::from(10_000) * U256::from(10).pow(U256::from(18));
        let dollars = U256::from(1_000_000_000_000_u64);
        Self {
            port: 0,
            chain_id: 84532,
            automine: true,
            interval: None,
            base_fee: 1_000_000,
            balances: ACCOUNTS.iter().map(|account| (account.address, ether)).collect(),
            token_balances: ACCOUNTS.iter().map(|account| (account.address, dollars)).collect(),
        }
    }
}

/// Why a devnet does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Most often: something else listens there.
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot start the chain's thread: {0}")]
    Thread(std::io::Error),
    #[error("the token could not be set up")]
    Token,
}

/// A running devnet. It ends when this is dropped.
///
/// It has a thread and a runtime of its own, so that it can be started and dropped anywhere, and all commands here are
/// plain calls that take effect before they return.
#[derive(Debug)]
pub struct Devnet {
    node: Arc<Node>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Devnet {
    /// Starts a devnet; when this returns, it answers.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let node = Arc::new(Node::new(genesis(&config)?, config.interval));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
        let listen = |source| StartError::Listen { address, source };
        let socket = std::net::TcpListener::bind(address).map_err(listen)?;
        socket.set_nonblocking(true).map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("devnet")
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let served = Arc::clone(&node);
        let thread = std::thread::Builder::new()
            .name("devnet".into())
            .spawn(move || {
                runtime.block_on(run(socket, served, stopped));
                runtime.shutdown_timeout(Duration::from_secs(1));
            })
            .map_err(StartError::Thread)?;
        Ok(Self { node, address, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where JSON-RPC is spoken.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn chain_id(&self) -> u64 {
        self.node.read().chain_id
    }

    /// The token's address.
    pub fn token(&self) -> Address {
        TOKEN
    }

    // The chain.

    pub fn block_number(&self) -> u64 {
        self.node.read().head().number()
    }

    /// The present, in seconds since the Unix epoch, as calls see it.
    pub fn timestamp(&self) -> u64 {
        let chain = self.node.read();
        chain.clock.now(chain.head().header().timestamp)
    }

    /// Mines so many blocks; what waits goes into the first.
    pub fn mine(&self, blocks: u64) {
        let mut chain = self.node.write();
        for _ in 0..blocks {
            chain.mine();
        }
    }

    /// Switches mining on demand; switched on, it mines what waits.
    pub fn set_automine(&self, automine: bool) {
        rpc::set_automine(&self.node, automine);
    }

    /// Mines a block each time so much has passed; None stops that.
    pub fn set_interval(&self, interval: Option<Duration>) {
        self.node.interval.send_replace(interval);
    }

    pub fn increase_time(&self, seconds: u64) {
        self.node.write().clock.advance(seconds);
    }

    /// Fixes the next block's timestamp; time goes on from there.
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<(), CommandError> {
        self.node.write().set_next_timestamp(timestamp)
    }

    /// Fixes the next block's base fee, in wei per gas.
    pub fn set_next_base_fee(&self, base_fee: u64) {
        self.node.write().set_next_base_fee(base_fee);
    }

    /// Replaces the last `depth` blocks with as many empty ones.
    pub fn reorg(&self, depth: u64, orphans: Orphans) -> Result<(), CommandError> {
        self.node.write().reorg(depth, orphans)
    }

    pub fn snapshot(&self) -> u64 {
        self.node.write().snapshot()
    }

    pub fn revert(&self, snapshot: u64) -> Result<(), CommandError> {
        self.node.write().revert(snapshot)
    }

    /// How many transactions wait for a block, and how many for an earlier nonce.
    pub fn pool_status(&self) -> (usize, usize) {
        self.node.read().pool_status()
    }

    /// Takes a waiting transaction out of the pool, as a node does that runs out of room. False where it does not wait.
    pub fn evict(&self, hash: B256) -> bool {
        self.node.write().evict(&hash)
    }

    pub fn receipt(&self, hash: B256) -> Option<TransactionReceipt> {
        let chain = self.node.read();
        let (block, index) = chain.mined(&hash)?;
        block.receipts.get(index).cloned()
    }

    // Faults.

    /// These faults hold from now on, and no others.
    pub fn set_faults(&self, faults: Faults) {
        self.node.write().faults = faults;
    }

    /// The faults in force; counted ones with what is left of them.
    pub fn faults(&self) -> Faults {
        self.node.read().faults.clone()
    }

    /// How often each JSON-RPC method was asked for since the start, `devnet_*` not counted.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.node.requests()
    }

    // Accounts and contracts.

    /// An account's ether, in wei.
    pub fn balance(&self, account: Address) -> U256 {
        let chain = self.node.read();
        chain.account(account, chain.head()).balance
    }

    /// An account's token balance, in atomic units.
    pub fn token_balance(&self, account: Address) -> Result<U256, RpcError> {
        self.read(TOKEN, &Token::balanceOfCall { account })
    }

    /// Calls a contract at the head, as nobody, and decodes the answer.
    pub fn read<C: SolCall>(&self, contract: Address, call: &C) -> Result<C::Return, RpcError> {
        let request = TransactionRequest::default().to(contract).input(Bytes::from(call.abi_encode()).into());
        let output = rpc::execute(&self.node.read(), &request, BlockId::latest(), None)?;
        C::abi_decode_returns(&output).map_err(|error| RpcError::Server(error.to_string()))
    }

    /// Calls a contract from a development account, in a block of its own; what waits keeps waiting.
    pub fn transact<C: SolCall>(&self, from: Address, contract: Address, call: &C) -> Result<TransactionReceipt, RpcError> {
        let request = TransactionRequest::default().from(from).to(contract).input(Bytes::from(call.abi_encode()).into());
        let mut chain = self.node.write();
        let transaction = rpc::sign(&chain, request)?;
        let transaction = transaction.try_into_recovered().map_err(|error| RpcError::Server(error.to_string()))?;
        let receipt = chain.mine_only(transaction).receipts.first().cloned();
        receipt.ok_or_else(|| RpcError::Server("the transaction was not mined".into()))
    }

    /// Mints tokens in a block of its own.
    pub fn mint(&self, to: Address, value: U256) -> Result<TransactionReceipt, RpcError> {
        self.transact(TOKEN_OWNER.address, TOKEN, &Token::mintCall { to, value })
    }

    /// Deploys the wallet of that owner and salt, where it is not there yet, and returns its address.
    pub fn deploy_wallet(&self, owner: Address, salt: U256) -> Result<Address, RpcError> {
        self.transact(ACCOUNTS[0].address, WALLET_FACTORY, &WalletFactory::createWalletCall { owner, salt })?;
        self.wallet_address(owner, salt)
    }

    /// Where the wallet of that owner and salt is or will be.
    pub fn wallet_address(&self, owner: Address, salt: U256) -> Result<Address, RpcError> {
        self.read(WALLET_FACTORY, &WalletFactory::walletAddressCall { owner, salt })
    }

    /// Makes an account delegate to the wallet's code (EIP-7702), put at `wallet`.
    pub fn delegate_to_wallet(&self, account: Address, wallet: Address) {
        self.set_code(wallet, WALLET_CODE);
        let designator = [&[0xef, 0x01, 0x00], wallet.as_slice()].concat();
        self.node.write().set_code(account, designator.into());
    }

    /// Puts a token's runtime code at an address and sets it up as USDC is; the development accounts hold `balance` each.
    pub fn add_token(&self, address: Address, code: &[u8], balance: U256) -> Result<(), StartError> {
        let holders: Vec<_> = ACCOUNTS.iter().map(|account| (account.address, balance)).collect();
        place_token(&mut self.node.write(), address, code, &holders)
    }

    /// Puts runtime code at an address; empty code removes it.
    pub fn set_code(&self, address: Address, code: &[u8]) {
        self.node.write().set_code(address, Bytes::copy_from_slice(code));
    }

    /// Sets an account's ether, in wei.
    pub fn set_balance(&self, address: Address, balance: U256) {
        self.node.write().set_balance(address, balance);
    }

    pub fn set_slot(&self, address: Address, slot: U256, value: U256) {
        self.node.write().set_slot(address, slot, value);
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that it has stopped already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the devnet's thread panicked");
        }
    }
}

async fn run(socket: std::net::TcpListener, node: Arc<Node>, stopped: oneshot::Receiver<()>) {
    let listener = match TcpListener::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the devnet cannot listen");
            return;
        }
    };
    let mining = tokio::spawn(server::mine_by_the_clock(Arc::clone(&node)));
    tokio::select! {
        never = server::serve(listener, node) => match never {},
        _ = stopped => {}
    }
    mining.abort();
}

fn genesis(config: &Config) -> Result<Chain, StartError> {
    let mut chain = Chain::new(config.chain_id, config.base_fee);
    chain.automine = config.automine;
    chain.set_code(MULTICALL, Bytes::from_static(MULTICALL_CODE));
    chain.set_code(WALLET_FACTORY, Bytes::from_static(WALLET_FACTORY_CODE));
    place_token(&mut chain, TOKEN, TOKEN_CODE, &config.token_balances)?;
    for (address, balance) in &config.balances {
        chain.set_balance(*address, *balance);
    }
    Ok(chain)
}

fn place_token(chain: &mut Chain, address: Address, code: &[u8], holders: &[(Address, U256)]) -> Result<(), StartError> {
    chain.set_code(address, Bytes::copy_from_slice(code));
    let owner = TOKEN_OWNER.address;
    let mut calls = vec![initialize_token("USDC", "USDC", "2", 6, owner)];
    calls.extend(holders.iter().map(|(to, value)| Token::mintCall { to: *to, value: *value }.abi_encode().into()));
    let done = calls.into_iter().all(|call| chain.set_by_call(owner, address, call));
    done.then_some(()).ok_or(StartError::Token)
}
