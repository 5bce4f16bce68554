// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A hostile wallet: it accepts every signature with an answer so long that copying it costs the caller its gas.
contract ReturnBomb1271 {
    /// Length of the answer in bytes; 0 stands for one million.
    uint256 public size;

    constructor(uint256 size_) {
        size = size_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 length = size == 0 ? 1_000_000 : size;
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, length)
        }
    }
}
