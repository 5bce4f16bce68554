// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A hostile wallet: it accepts every signature after burning the caller's gas.
contract GasBurner1271 {
    /// Gas to burn for each answer; 0 burns all there is, and then there is no answer.
    uint256 public burn;

    constructor(uint256 burn_) {
        burn = burn_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 budget = burn == 0 ? type(uint256).max : burn;
        uint256 start = gasleft();
        while (start - gasleft() < budget) {}
        return 0x1626ba7e;
    }
}
