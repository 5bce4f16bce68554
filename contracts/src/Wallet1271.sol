// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A smart wallet with one owner, whose signature it accepts as its own (EIP-1271).
///
/// Where no owner is set the owner is the account itself, so that an account that delegates to this code (EIP-7702)
/// keeps answering to its key.
contract Wallet1271 {
    bytes4 private constant ACCEPTED = 0x1626ba7e;
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    address private _owner;

    constructor(address owner_) {
        _owner = owner_;
    }

    receive() external payable {}

    function owner() public view returns (address) {
        return _owner == address(0) ? address(this) : _owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65 || uint256(bytes32(signature[32:64])) > HALF_ORDER) return 0xffffffff;
        address signer = ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        return signer != address(0) && signer == owner() ? ACCEPTED : bytes4(0xffffffff);
    }

    /// From now on only the new owner's signatures hold, also for authorizations that were signed before.
    function setOwner(address owner_) external {
        require(msg.sender == owner(), "Wallet1271: caller is not the owner");
        _owner = owner_;
    }

    function execute(address target, uint256 value, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == owner(), "Wallet1271: caller is not the owner");
        (bool ok, bytes memory answer) = target.call{value: value}(data);
        require(ok, "Wallet1271: call failed");
        return answer;
    }
}
