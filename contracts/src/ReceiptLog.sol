// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReceiptLog} from "./interfaces/IReceiptLog.sol";
import {MerkleSha256} from "./libraries/MerkleSha256.sol";

/// @title Receipts on the chain
/// @notice See {IReceiptLog}. There is no owner, no money and no upgrade.
contract ReceiptLog is IReceiptLog {
    mapping(address account => mapping(bytes32 root => uint64 timestamp)) private _anchoredAt;

    /// @inheritdoc IReceiptLog
    function anchor(bytes32 root) external override {
        if (root == 0) revert ZeroRoot();
        uint64 before = _anchoredAt[msg.sender][root];
        if (before != 0) revert AlreadyAnchored(msg.sender, root, before);

        _anchoredAt[msg.sender][root] = uint64(block.timestamp);

        emit Anchored(msg.sender, root, uint64(block.timestamp));
    }

    /// @inheritdoc IReceiptLog
    function anchoredAt(address account, bytes32 root) external view override returns (uint64) {
        return _anchoredAt[account][root];
    }

    /// @inheritdoc IReceiptLog
    function proves(
        address account,
        bytes32 root,
        bytes32 receiptHash,
        uint256 index,
        uint256 leaves,
        bytes32[] calldata path
    ) external view override returns (bool) {
        if (_anchoredAt[account][root] == 0) return false;
        bytes32 leafHash = MerkleSha256.leaf(abi.encodePacked(receiptHash));
        return MerkleSha256.isUnder(root, leafHash, index, leaves, path);
    }
}
