// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Reads what is to be known about many EIP-3009 payments in one `eth_call`, deployed nowhere: the call has no `to`, its
/// data is the creation code followed by `abi.encode(token, payers, nonces)`, and the answer comes in place of runtime code
/// as `abi.encode(blockNumber, timestamp, paused, rows)`, one row per pair of payer and nonce in the order given.
///
/// A node refuses answers above the code size limit of 24,576 bytes (EIP-170): at most 190 rows.
contract Facts {
    struct Row {
        uint256 codeSize;
        uint256 balance;
        bool nonceUsed;
        bool blacklisted;
    }

    /// What a single look at the token may use, so that no token can eat up the whole call.
    uint256 private constant GAS_PER_READ = 200_000;

    constructor(address token, address[] memory payers, bytes32[] memory nonces) {
        require(payers.length == nonces.length, "Facts: as many nonces as payers");
        bool paused = _flag(token, abi.encodeWithSignature("paused()"));
        Row[] memory rows = new Row[](payers.length);
        for (uint256 i = 0; i < payers.length; i++) {
            rows[i] = _row(token, payers[i], nonces[i]);
        }
        bytes memory answer = abi.encode(block.number, block.timestamp, paused, rows);
        assembly {
            return(add(answer, 32), mload(answer))
        }
    }

    function _row(address token, address payer, bytes32 nonce) private view returns (Row memory row) {
        row.codeSize = payer.code.length;
        row.balance = _must(token, abi.encodeWithSignature("balanceOf(address)", payer));
        row.nonceUsed = _must(token, abi.encodeWithSignature("authorizationState(address,bytes32)", payer, nonce)) != 0;
        row.blacklisted = _flag(token, abi.encodeWithSignature("isBlacklisted(address)", payer));
    }

    /// A getter that the token may lack: then the answer is no.
    function _flag(address token, bytes memory input) private view returns (bool) {
        (bool ok, uint256 word) = _read(token, input);
        return ok && word != 0;
    }

    function _must(address token, bytes memory input) private view returns (uint256) {
        (bool ok, uint256 word) = _read(token, input);
        require(ok, "Facts: not an EIP-3009 token");
        return word;
    }

    /// Copies one word at most, whatever the answer's length.
    function _read(address token, bytes memory input) private view returns (bool ok, uint256 word) {
        assembly ("memory-safe") {
            ok := staticcall(GAS_PER_READ, token, add(input, 32), mload(input), 0, 32)
            ok := and(ok, gt(returndatasize(), 31))
            word := mload(0)
        }
    }
}
