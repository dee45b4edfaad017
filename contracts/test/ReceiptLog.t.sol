// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ReceiptLog} from "../src/ReceiptLog.sol";
import {IReceiptLog} from "../src/interfaces/IReceiptLog.sol";
import {MerkleSha256} from "../src/libraries/MerkleSha256.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";

contract ReceiptLogTest is ForgeTest {
    ReceiptLog private log;
    address private provider;
    address private stranger;

    function setUp() public {
        vm.warp(START_SECONDS);
        log = new ReceiptLog();
        provider = newAccount("provider").addr;
        stranger = newAccount("stranger").addr;
    }

    function test_anchor_notesTheTimeOnceForEachAccount() public {
        vm.expectEmit(address(log));
        emit IReceiptLog.Anchored(provider, "root", uint64(START_SECONDS));
        vm.prank(provider);
        log.anchor("root");
        vm.warp(START_SECONDS + 5);
        vm.prank(provider);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReceiptLog.AlreadyAnchored.selector, provider, bytes32("root"), START_SECONDS
            )
        );
        log.anchor("root");
        vm.prank(stranger);
        log.anchor("root");
        vm.assertEq(log.anchoredAt(provider, "root"), START_SECONDS, "the first time");
        vm.assertEq(log.anchoredAt(stranger, "root"), START_SECONDS + 5, "the other's");
        vm.assertEq(log.anchoredAt(provider, "other"), 0, "never");
    }

    function test_anchor_refusesNoRoot() public {
        vm.expectRevert(IReceiptLog.ZeroRoot.selector);
        log.anchor(0);
    }

    function testFuzz_proves_eachReceiptAtItsPlaceAndNothingElse(
        bytes32 seed,
        uint8 size,
        uint8 place
    ) public {
        uint256 leaves = bound(size, 1, 24);
        uint256 index = bound(place, 0, leaves - 1);
        bytes32[] memory hashes = new bytes32[](leaves);
        for (uint256 i = 0; i < leaves; i++) {
            hashes[i] = MerkleSha256.leaf(abi.encode(_receipt(seed, i)));
        }
        bytes32 root = MerkleSha256.root(hashes);
        bytes32[] memory path = _path(hashes, index);
        bytes32 receipt = _receipt(seed, index);

        vm.assertTrue(!log.proves(provider, root, receipt, index, leaves, path), "not anchored");
        vm.prank(provider);
        log.anchor(root);
        vm.assertTrue(log.proves(provider, root, receipt, index, leaves, path), "proven");
        vm.assertTrue(!log.proves(stranger, root, receipt, index, leaves, path), "by another");
        vm.assertTrue(!log.proves(provider, seed, receipt, index, leaves, path), "another root");
        vm.assertTrue(
            !log.proves(provider, root, keccak256("x"), index, leaves, path), "another receipt"
        );
        vm.assertTrue(!log.proves(provider, root, receipt, leaves, leaves, path), "beyond");
        vm.assertTrue(!log.proves(provider, root, receipt, 0, 0, path), "of none");
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; i++) {
            longer[i] = path[i];
        }
        vm.assertTrue(!log.proves(provider, root, receipt, index, leaves, longer), "longer");
        if (path.length > 0) {
            vm.assertTrue(
                !log.proves(provider, root, receipt, index, leaves, new bytes32[](0)), "shorter"
            );
        }
        // A node is no leaf: the two hash differently.
        vm.assertTrue(!log.proves(provider, root, root, 0, 1, new bytes32[](0)), "the root itself");
    }

    function _receipt(bytes32 seed, uint256 index) private pure returns (bytes32) {
        return keccak256(abi.encode(seed, index));
    }

    /// @dev By the definition: the roots of the subtrees that are not the leaf's, from below.
    function _path(bytes32[] memory hashes, uint256 index)
        private
        pure
        returns (bytes32[] memory path)
    {
        if (hashes.length == 1) return new bytes32[](0);
        uint256 split = 1;
        while (split << 1 < hashes.length) split <<= 1;
        bytes32[] memory left = _slice(hashes, 0, split);
        bytes32[] memory right = _slice(hashes, split, hashes.length);
        bytes32[] memory inner = index < split ? _path(left, index) : _path(right, index - split);
        path = new bytes32[](inner.length + 1);
        for (uint256 i = 0; i < inner.length; i++) {
            path[i] = inner[i];
        }
        path[inner.length] = MerkleSha256.root(index < split ? right : left);
    }

    function _slice(bytes32[] memory all, uint256 from, uint256 to)
        private
        pure
        returns (bytes32[] memory part)
    {
        part = new bytes32[](to - from);
        for (uint256 i = 0; i < part.length; i++) {
            part[i] = all[from + i];
        }
    }
}
