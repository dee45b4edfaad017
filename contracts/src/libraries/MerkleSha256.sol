// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Merkle trees of the market
/// @notice SHA-256 trees with domain separation (leaf 0x00, node 0x01) and the left-heavy split of
/// RFC 6962: the left subtree of n leaves holds the largest power of two below n. The same trees
/// are built by MerkleTree in module protocol.
library MerkleSha256 {
    /// @notice The leaf named is not one of the tree's.
    error LeafOutOfRange(uint256 index, uint256 count);

    /// @notice The audit path has more or fewer hashes than lie between this leaf and the root.
    error AuditPathLength(uint256 length);

    /// @notice The hash of one leaf's bytes.
    function leaf(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), data));
    }

    /// @notice The hash over two subtrees.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice The root over leaf hashes; of none, the SHA-256 of nothing.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        if (leaves.length == 0) return sha256("");
        return _root(leaves, 0, leaves.length);
    }

    /// @notice The root that a leaf hash and its audit path give, in a tree of `count` leaves.
    /// @param leafHash The hash of the leaf, see {leaf}.
    /// @param index The place of the leaf, from 0.
    /// @param count How many leaves the tree has.
    /// @param path The sibling hashes from the leaf upwards.
    function rootFrom(bytes32 leafHash, uint256 index, uint256 count, bytes32[] memory path)
        internal
        pure
        returns (bytes32)
    {
        if (index >= count) revert LeafOutOfRange(index, count);
        (bytes32 hash, bool fits) = _climb(leafHash, index, count, path);
        if (!fits) revert AuditPathLength(path.length);
        return hash;
    }

    /// @notice True if the leaf hash is at `index` of the tree of `count` leaves under `wanted`.
    function isUnder(
        bytes32 wanted,
        bytes32 leafHash,
        uint256 index,
        uint256 count,
        bytes32[] memory path
    ) internal pure returns (bool) {
        if (index >= count) return false;
        (bytes32 hash, bool fits) = _climb(leafHash, index, count, path);
        return fits && hash == wanted;
    }

    /// @dev The loop of RFC 9162, section 2.1.3.2: `position` and `last` are the node's place and
    /// the last place in its row, and both go up a row with each step. A last node without a
    /// sibling goes up without a hash. `fits` is false where the path has another length than lies
    /// between this leaf and the root.
    function _climb(bytes32 leafHash, uint256 index, uint256 count, bytes32[] memory path)
        private
        pure
        returns (bytes32 hash, bool fits)
    {
        hash = leafHash;
        uint256 position = index;
        uint256 last = count - 1;
        for (uint256 i = 0; i < path.length; i++) {
            if (last == 0) return (hash, false);
            if (position & 1 == 1 || position == last) {
                hash = node(path[i], hash);
                while (position & 1 == 0 && position != 0) {
                    position >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node(hash, path[i]);
            }
            position >>= 1;
            last >>= 1;
        }
        fits = last == 0;
    }

    function _root(bytes32[] memory leaves, uint256 from, uint256 to)
        private
        pure
        returns (bytes32)
    {
        uint256 size = to - from;
        if (size == 1) return leaves[from];
        uint256 split = 1;
        while (split << 1 < size) split <<= 1;
        return node(_root(leaves, from, from + split), _root(leaves, from + split, to));
    }
}
