// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Receipts on the chain
/// @notice An account writes down the Merkle root of its receipts, and with it when they existed at
/// the latest. Whoever has one receipt and its audit path can show from then on that the account
/// anchored it. Nothing here moves money.
interface IReceiptLog {
    /// @notice The account anchored `root`, its first time.
    event Anchored(address indexed account, bytes32 indexed root, uint64 timestamp);

    /// @notice A root of zero was named.
    error ZeroRoot();

    /// @notice The account has anchored this root before, at `timestamp`.
    error AlreadyAnchored(address account, bytes32 root, uint64 timestamp);

    /// @notice Writes down that the caller stands by the receipts under `root`.
    function anchor(bytes32 root) external;

    /// @notice When the account anchored the root, in unix seconds; zero where it did not.
    function anchoredAt(address account, bytes32 root) external view returns (uint64);

    /// @notice True if the account has anchored `root`, and the receipt is under it.
    /// @dev A path of a wrong length, and an index beyond the leaves, are no proof: false.
    /// @param account Who anchored.
    /// @param root The Merkle root (RFC 6962, SHA-256) over receipt hashes.
    /// @param receiptHash The receipt's SHA-256 hash, the bytes of one leaf.
    /// @param index The receipt's place under the root, from 0.
    /// @param leaves How many receipts the root stands for.
    /// @param path The sibling hashes from the leaf upwards.
    function proves(
        address account,
        bytes32 root,
        bytes32 receiptHash,
        uint256 index,
        uint256 leaves,
        bytes32[] calldata path
    ) external view returns (bool);
}
