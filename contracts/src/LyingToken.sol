// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Token} from "Token.sol";

// Tokens whose successful transaction proves nothing. Each lies in one way, in `transferWithAuthorization` only.

/// Uses the authorization and moves nothing: an `AuthorizationUsed` without a `Transfer`.
contract SilentToken is Token {
    function _transferWithAuthorization(
        address from,
        address,
        uint256,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory
    ) internal override whenNotPaused {
        _checkAuthorization(from, validAfter, validBefore, nonce);
        _useAuthorization(from, nonce);
    }
}

/// Does nothing at all for a nonce that is already used, where EIP-3009 says that it must revert.
contract QuietReplayToken is Token {
    event AuthorizationAlreadyUsed(address indexed authorizer, bytes32 indexed nonce);

    function _transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) internal override {
        if (authorizationState[from][nonce]) {
            emit AuthorizationAlreadyUsed(from, nonce);
        } else {
            super._transferWithAuthorization(from, to, value, validAfter, validBefore, nonce, signature);
        }
    }
}

/// Keeps one percent of every transfer.
contract FeeToken is Token {
    function _move(address from, address to, uint256 value) internal override {
        uint256 fee = value / 100;
        super._move(from, to, value - fee);
        super._move(from, owner, fee);
    }
}

/// Pays its owner in place of the payee.
contract DetourToken is Token {
    function _move(address from, address, uint256 value) internal override {
        super._move(from, owner, value);
    }
}

/// Moves nothing, and has another contract write the logs of a good payment.
contract ForgingToken is Token {
    function _transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory
    ) internal override whenNotPaused {
        _checkAuthorization(from, validAfter, validBefore, nonce);
        authorizationState[from][nonce] = true;
        new Forger(from, to, value, nonce);
    }
}

/// Writes a token's logs under its own address.
contract Forger {
    constructor(address from, address to, uint256 value, bytes32 nonce) {
        emit Token.AuthorizationUsed(from, nonce);
        emit Token.Transfer(from, to, value);
    }
}
