// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MerkleSha256} from "../src/libraries/MerkleSha256.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";

contract MerkleSha256Test is ForgeTest {
    // The inputs and roots that implementations of RFC 6962 test each other with.
    bytes[8] private inputs = [
        bytes(hex""),
        hex"00",
        hex"10",
        hex"2021",
        hex"3031",
        hex"40414243",
        hex"5051525354555657",
        hex"606162636465666768696a6b6c6d6e6f"
    ];
    bytes32[9] private roots = [
        bytes32(0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855),
        0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d,
        0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125,
        0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77,
        0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7,
        0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4,
        0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef,
        0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c,
        0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
    ];

    function test_root_agreesWithTheKnownTreesOfRfc6962() public view {
        for (uint256 count = 0; count <= 8; count++) {
            bytes32[] memory leaves = new bytes32[](count);
            for (uint256 i = 0; i < count; i++) {
                leaves[i] = MerkleSha256.leaf(inputs[i]);
            }
            vm.assertEq(MerkleSha256.root(leaves), roots[count], vm.toString(count));
        }
    }

    function testFuzz_rootFrom_givesTheRootForEveryLeafAndSize(uint256 count, bytes32 seed)
        public
        pure
    {
        count = bound(count, 1, 40);
        bytes32[] memory leaves = _leaves(count, seed);
        bytes32 root = MerkleSha256.root(leaves);
        for (uint256 i = 0; i < count; i++) {
            bytes32[] memory path = _path(leaves, i);
            vm.assertEq(MerkleSha256.rootFrom(leaves[i], i, count, path), root, "root from path");
        }
    }

    function testFuzz_rootFrom_givesAnotherRootForAnotherPlaceOrLeaf(
        uint256 count,
        uint256 index,
        bytes32 seed
    ) public view {
        count = bound(count, 2, 40);
        index = bound(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(count, seed);
        bytes32 root = MerkleSha256.root(leaves);
        bytes32[] memory path = _path(leaves, index);

        bytes32 wrongLeaf = ~leaves[index];
        vm.assertTrue(MerkleSha256.rootFrom(wrongLeaf, index, count, path) != root, "wrong leaf");
        for (uint256 other = 0; other < count; other++) {
            if (other == index) continue;
            try this.rootFrom(leaves[index], other, count, path) returns (bytes32 computed) {
                vm.assertTrue(computed != root, "wrong place");
            } catch {}
        }
    }

    function testFuzz_rootFrom_refusesAPathThatIsTooLongOrTooShort(uint256 count, uint256 index)
        public
    {
        count = bound(count, 2, 40);
        index = bound(index, 0, count - 1);
        bytes32[] memory leaves = _leaves(count, "seed");
        bytes32[] memory path = _path(leaves, index);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < path.length; i++) {
            longer[i] = path[i];
            if (i < shorter.length) shorter[i] = path[i];
        }

        vm.expectRevert(
            abi.encodeWithSelector(MerkleSha256.AuditPathLength.selector, longer.length)
        );
        this.rootFrom(leaves[index], index, count, longer);
        vm.expectRevert(
            abi.encodeWithSelector(MerkleSha256.AuditPathLength.selector, shorter.length)
        );
        this.rootFrom(leaves[index], index, count, shorter);
    }

    function test_rootFrom_refusesALeafOutsideTheTree() public {
        vm.expectRevert(abi.encodeWithSelector(MerkleSha256.LeafOutOfRange.selector, 3, 3));
        this.rootFrom(0, 3, 3, new bytes32[](2));
        vm.expectRevert(abi.encodeWithSelector(MerkleSha256.LeafOutOfRange.selector, 0, 0));
        this.rootFrom(0, 0, 0, new bytes32[](0));
    }

    /// @dev External, so that a revert can be expected of the library.
    function rootFrom(bytes32 leaf, uint256 index, uint256 count, bytes32[] memory path)
        external
        pure
        returns (bytes32)
    {
        return MerkleSha256.rootFrom(leaf, index, count, path);
    }

    function _leaves(uint256 count, bytes32 seed) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// @dev The audit path by RFC 6962's recursive definition, from the leaf upwards.
    function _path(bytes32[] memory leaves, uint256 index)
        private
        pure
        returns (bytes32[] memory path)
    {
        if (leaves.length == 1) return new bytes32[](0);
        uint256 split = 1;
        while (split * 2 < leaves.length) split *= 2;
        bytes32[] memory left = _slice(leaves, 0, split);
        bytes32[] memory right = _slice(leaves, split, leaves.length);
        bool inLeft = index < split;
        bytes32[] memory below = inLeft ? _path(left, index) : _path(right, index - split);
        path = new bytes32[](below.length + 1);
        for (uint256 i = 0; i < below.length; i++) {
            path[i] = below[i];
        }
        path[below.length] = MerkleSha256.root(inLeft ? right : left);
    }

    function _slice(bytes32[] memory from, uint256 begin, uint256 end)
        private
        pure
        returns (bytes32[] memory slice)
    {
        slice = new bytes32[](end - begin);
        for (uint256 i = begin; i < end; i++) {
            slice[i - begin] = from[i];
        }
    }
}
