//! The contracts on the devnet: their code as `contracts/out` has it, their addresses, and calls to them.
//!
//! To have the same token on another development chain, put [`TOKEN_CODE`] at an address (`anvil_setCode`) and send one
//! transaction with [`initialize_token`] to it.

use alloy::sol;
use alloy_primitives::{Address, Bytes, address, hex};
use alloy_sol_types::SolCall;

/// USDC's address on Base Sepolia, where the token stands.
pub const TOKEN: Address = address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e");

/// Where Multicall3 is on nearly every chain.
pub const MULTICALL: Address = address!("0xcA11bde05977b3631167028862bE2a173976CA11");

/// The factory of counterfactual wallets on the devnet.
pub const WALLET_FACTORY: Address = address!("0xFAc7000000000000000000000000000000006492");

macro_rules! code {
    ($file:literal) => {{
        const HEX: &[u8] = include_bytes!(concat!("../../../contracts/out/", $file));
        const CODE: [u8; HEX.len() / 2] = match hex::const_decode_to_array(HEX) {
            Ok(code) => code,
            Err(_) => panic!("not hex"),
        };
        &CODE
    }};
}

/// Runtime code of the token.
pub const TOKEN_CODE: &[u8] = code!("Token.bin-runtime");
/// Runtime code of a token that uses authorizations and moves nothing.
pub const SILENT_TOKEN_CODE: &[u8] = code!("SilentToken.bin-runtime");
/// Runtime code of a token that does not revert where an authorization is used already.
pub const QUIET_REPLAY_TOKEN_CODE: &[u8] = code!("QuietReplayToken.bin-runtime");
/// Runtime code of a token that keeps one percent of every transfer.
pub const FEE_TOKEN_CODE: &[u8] = code!("FeeToken.bin-runtime");
/// Runtime code of a token that pays its owner in place of the payee.
pub const DETOUR_TOKEN_CODE: &[u8] = code!("DetourToken.bin-runtime");
/// Runtime code of a token that moves nothing and lets another contract write the logs of a payment.
pub const FORGING_TOKEN_CODE: &[u8] = code!("ForgingToken.bin-runtime");
/// Runtime code of the multicall contract.
pub const MULTICALL_CODE: &[u8] = code!("Multicall.bin-runtime");
/// Runtime code of the factory of counterfactual wallets.
pub const WALLET_FACTORY_CODE: &[u8] = code!("WalletFactory.bin-runtime");
/// Runtime code of the smart wallet. Its owner is in slot 0; zero stands for the account itself, as for an account that
/// delegates to this code (EIP-7702).
pub const WALLET_CODE: &[u8] = code!("Wallet1271.bin-runtime");
/// Runtime code of the wallet that burns gas: as much as slot 0 says, all of it where that is zero.
pub const GAS_BURNER_CODE: &[u8] = code!("GasBurner1271.bin-runtime");
/// Runtime code of the wallet that answers at length: as many bytes as slot 0 says, a million where that is zero.
pub const RETURN_BOMB_CODE: &[u8] = code!("ReturnBomb1271.bin-runtime");
/// Creation code of the facts reader, which is never deployed: see [`Facts`].
pub const FACTS_CREATION_CODE: &[u8] = code!("Facts.bin");

sol! {
    /// What facilitators and payers use of the token.
    #[derive(Debug)]
    interface Token {
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Approval(address indexed owner, address indexed spender, uint256 value);
        event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
        event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

        function initialize(string name, string symbol, string version, uint8 decimals, address owner) external;
        function name() external view returns (string);
        function symbol() external view returns (string);
        function version() external view returns (string);
        function decimals() external view returns (uint8);
        function DOMAIN_SEPARATOR() external view returns (bytes32);
        function owner() external view returns (address);
        function paused() external view returns (bool);
        function isBlacklisted(address account) external view returns (bool);
        function totalSupply() external view returns (uint256);
        function balanceOf(address account) external view returns (uint256);
        function allowance(address owner, address spender) external view returns (uint256);
        function nonces(address owner) external view returns (uint256);
        function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);

        function transfer(address to, uint256 value) external returns (bool);
        function transferFrom(address from, address to, uint256 value) external returns (bool);
        function approve(address spender, uint256 value) external returns (bool);
        function mint(address to, uint256 value) external returns (bool);
        function pause() external;
        function unpause() external;
        function blacklist(address account) external;
        function unBlacklist(address account) external;

        function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
        function permit(address owner, address spender, uint256 value, uint256 deadline, bytes signature) external;
        function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature) external;
        function receiveWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function receiveWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature) external;
        function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;
        function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature) external;
    }

    /// The facts reader. An `eth_call` without `to`, its data [`FACTS_CREATION_CODE`] and the constructor's arguments, is
    /// answered with what `read` would return.
    #[derive(Debug)]
    interface Facts {
        #[derive(PartialEq, Eq)]
        struct Row {
            uint256 codeSize;
            uint256 balance;
            bool nonceUsed;
            bool blacklisted;
        }

        function read(address token, address[] payers, bytes32[] nonces)
            external view returns (uint256 blockNumber, uint256 timestamp, bool paused, Row[] rows);
    }

    /// The factory of counterfactual wallets.
    #[derive(Debug)]
    interface WalletFactory {
        event WalletCreated(address indexed wallet, address indexed owner);

        function createWallet(address owner, uint256 salt) external returns (address wallet);
        function walletAddress(address owner, uint256 salt) external view returns (address);
    }

    /// The smart wallet.
    #[derive(Debug)]
    interface Wallet {
        function owner() external view returns (address);
        function isValidSignature(bytes32 hash, bytes signature) external view returns (bytes4);
        function setOwner(address owner) external;
        function execute(address target, uint256 value, bytes data) external returns (bytes);
    }
}

/// Calldata of the transaction that sets up a token whose code was put at an address; it works once.
pub fn initialize_token(name: &str, symbol: &str, version: &str, decimals: u8, owner: Address) -> Bytes {
    let call = Token::initializeCall { name: name.to_owned(), symbol: symbol.to_owned(), version: version.to_owned(), decimals, owner };
    call.abi_encode().into()
}

/// Data of the `eth_call` without `to` that reads these payments' facts, at most 190 of them.
pub fn facts_call(token: Address, payers: Vec<Address>, nonces: Vec<alloy_primitives::B256>) -> Bytes {
    let arguments = Facts::readCall { token, payers, nonces }.abi_encode();
    let arguments = arguments.get(4..).unwrap_or_default();
    [FACTS_CREATION_CODE, arguments].concat().into()
}
