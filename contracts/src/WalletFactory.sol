// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Wallet1271} from "Wallet1271.sol";

/// Deploys wallets at addresses known beforehand (CREATE2), for payers that exist only as a signature yet (EIP-6492).
contract WalletFactory {
    event WalletCreated(address indexed wallet, address indexed owner);

    /// The wallet of that owner and salt; an existing one is returned as it is.
    function createWallet(address owner, uint256 salt) external returns (address wallet) {
        wallet = walletAddress(owner, salt);
        if (wallet.code.length == 0) {
            new Wallet1271{salt: bytes32(salt)}(owner);
            emit WalletCreated(wallet, owner);
        }
    }

    function walletAddress(address owner, uint256 salt) public view returns (address) {
        bytes32 codeHash = keccak256(abi.encodePacked(type(Wallet1271).creationCode, abi.encode(owner)));
        bytes32 digest = keccak256(abi.encodePacked(bytes1(0xff), address(this), bytes32(salt), codeHash));
        return address(uint160(uint256(digest)));
    }
}
