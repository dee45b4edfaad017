// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {MerkleSha256} from "../src/libraries/MerkleSha256.sol";
import {TypedData} from "../src/libraries/TypedData.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";

/// @notice The golden vectors of module protocol, hashed here by the library that contracts use.
/// Java makes and checks the same file, and scripts/cast-vectors.sh checks it with cast.
contract ProtocolVectorsTest is ForgeTest {
    string private constant FOLDER = "../protocol/src/test/resources/vectors/";

    /// @dev Fewer would mean that the file lost some: three kinds of job and one of each other type.
    uint256 private constant VECTORS_MIN = 7;

    function test_typedData_hasTheHashesAndSignersOfTheVectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "typed-data.json"));
        uint256 count = _count(json, ".vectors");
        vm.assertTrue(count >= VECTORS_MIN, "the file holds all vectors");
        bool[5] memory seen;
        for (uint256 i = 0; i < count; i++) {
            string memory at = _at(".vectors", i);
            string memory name = vm.parseJsonString(json, string.concat(at, ".name"));
            (bytes32 structHash, uint256 kind) = _structHash(json, string.concat(at, ".document"));
            seen[kind] = true;
            _check(json, at, name, structHash);
        }
        vm.assertTrue(seen[0] && seen[1] && seen[2] && seen[3] && seen[4], "a vector of each type");
    }

    function test_contractData_hasTheHashesAndSignersOfTheVectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "contract-data.json"));
        bool[3] memory seen;
        for (uint256 i = 0; i < _count(json, ".vectors"); i++) {
            string memory at = _at(".vectors", i);
            string memory name = vm.parseJsonString(json, string.concat(at, ".name"));
            string memory message = string.concat(at, ".document.message");
            bytes32 structHash;
            if (keccak256(bytes(name)) == keccak256("acceptance")) {
                structHash = TypedData.hash(_acceptance(json, message));
                seen[0] = true;
            } else if (keccak256(bytes(name)) == keccak256("approval")) {
                structHash = TypedData.hash(_approval(json, message));
                seen[1] = true;
            } else {
                structHash = TypedData.hash(_sessionKey(json, message));
                seen[2] = true;
            }
            _check(json, at, name, structHash);
        }
        vm.assertTrue(seen[0] && seen[1] && seen[2], "a vector of each type");
    }

    function test_canonicalBytes_haveTheSha256OfTheVectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "typed-data.json"));
        for (uint256 i = 0; i < _count(json, ".vectors"); i++) {
            string memory at = _at(".vectors", i);
            vm.assertEq(
                sha256(vm.parseJsonBytes(json, string.concat(at, ".canonicalBytes"))),
                vm.parseJsonBytes32(json, string.concat(at, ".sha256")),
                at
            );
        }
    }

    function test_merkleTrees_haveTheRootsAndPathsOfTheVectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "merkle.json"));
        uint256 count = _count(json, ".trees");
        vm.assertGt(count, 4, "trees");
        for (uint256 i = 0; i < count; i++) {
            string memory at = _at(".trees", i);
            bytes32[] memory leaves = _hashes(json, string.concat(at, ".leaves"));
            bytes32 root = vm.parseJsonBytes32(json, string.concat(at, ".root"));
            vm.assertEq(MerkleSha256.root(leaves), root, at);
            if (leaves.length == 0) continue;
            uint256 index = vm.parseJsonUint(json, string.concat(at, ".index"));
            bytes32[] memory path = _hashes(json, string.concat(at, ".path"));
            vm.assertEq(MerkleSha256.rootFrom(leaves[index], index, leaves.length, path), root, at);
        }
    }

    function test_commitments_haveTheRootOfTheVectors() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "commitments.json"));
        bytes32[] memory links = _hashes(json, ".links");
        vm.assertGt(links.length, 1, "links");
        bytes32[] memory leaves = new bytes32[](links.length);
        for (uint256 i = 0; i < links.length; i++) {
            leaves[i] = MerkleSha256.leaf(abi.encode(links[i]));
        }
        vm.assertEq(MerkleSha256.root(leaves), vm.parseJsonBytes32(json, ".root"), "root");
    }

    function _check(string memory json, string memory at, string memory name, bytes32 structHash)
        private
        pure
    {
        vm.assertEq(
            structHash,
            vm.parseJsonBytes32(json, string.concat(at, ".structHash")),
            string.concat(name, ": struct hash")
        );
        bytes32 separator = TypedData.domainSeparator(
            vm.parseJsonUint(json, string.concat(at, ".document.domain.chainId")),
            vm.parseJsonAddress(json, string.concat(at, ".document.domain.verifyingContract"))
        );
        vm.assertEq(
            separator,
            vm.parseJsonBytes32(json, string.concat(at, ".domainSeparator")),
            string.concat(name, ": domain separator")
        );
        bytes32 digest = TypedData.digest(separator, structHash);
        vm.assertEq(
            digest,
            vm.parseJsonBytes32(json, string.concat(at, ".digest")),
            string.concat(name, ": digest")
        );
        bytes memory signature = vm.parseJsonBytes(json, string.concat(at, ".signature"));
        vm.assertEq(
            _recover(digest, signature),
            vm.parseJsonAddress(json, string.concat(at, ".signer")),
            string.concat(name, ": signer")
        );
    }

    function _acceptance(string memory json, string memory at)
        private
        pure
        returns (TypedData.Acceptance memory)
    {
        return TypedData.Acceptance({
            job: vm.parseJsonBytes32(json, string.concat(at, ".job")),
            requester: vm.parseJsonAddress(json, string.concat(at, ".requester")),
            provider: vm.parseJsonAddress(json, string.concat(at, ".provider")),
            amount: vm.parseJsonUint(json, string.concat(at, ".amount")),
            deadline: uint64(vm.parseJsonUint(json, string.concat(at, ".deadline"))),
            milestones: uint8(vm.parseJsonUint(json, string.concat(at, ".milestones")))
        });
    }

    function _approval(string memory json, string memory at)
        private
        pure
        returns (TypedData.Approval memory)
    {
        return TypedData.Approval({
            job: vm.parseJsonBytes32(json, string.concat(at, ".job")),
            provider: vm.parseJsonAddress(json, string.concat(at, ".provider")),
            milestone: uint8(vm.parseJsonUint(json, string.concat(at, ".milestone"))),
            proofRoot: vm.parseJsonBytes32(json, string.concat(at, ".proofRoot")),
            amountDue: vm.parseJsonUint(json, string.concat(at, ".amountDue"))
        });
    }

    function _sessionKey(string memory json, string memory at)
        private
        pure
        returns (TypedData.SessionKey memory)
    {
        return TypedData.SessionKey({
            payer: vm.parseJsonAddress(json, string.concat(at, ".payer")),
            key: vm.parseJsonAddress(json, string.concat(at, ".key")),
            token: vm.parseJsonAddress(json, string.concat(at, ".token")),
            limit: vm.parseJsonUint(json, string.concat(at, ".limit")),
            expiresAt: uint64(vm.parseJsonUint(json, string.concat(at, ".expiresAt"))),
            nonce: vm.parseJsonUint(json, string.concat(at, ".nonce"))
        });
    }

    function _recover(bytes32 digest, bytes memory signature) private pure returns (address) {
        vm.assertEq(signature.length, 65, "a signature is r, s and v");
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
        }
        return ecrecover(digest, uint8(signature[64]), r, s);
    }

    /// @return structHash hashStruct of the document's message.
    /// @return kind Which of the five types it is.
    function _structHash(string memory json, string memory document)
        private
        view
        returns (bytes32 structHash, uint256 kind)
    {
        string memory message = string.concat(document, ".message");
        bytes32 primaryType =
            keccak256(bytes(vm.parseJsonString(json, string.concat(document, ".primaryType"))));
        if (primaryType == keccak256("Job")) return (TypedData.hash(_job(json, message)), 0);
        if (primaryType == keccak256("Receipt")) {
            return (TypedData.hash(_receipt(json, message)), 1);
        }
        if (primaryType == keccak256("Voucher")) {
            return (TypedData.hash(_voucher(json, message)), 2);
        }
        if (primaryType == keccak256("JobPass")) {
            return (
                TypedData.hash(
                    TypedData.JobPass(_word(json, message, ".job"), _text(json, message, ".peer"))
                ),
                4
            );
        }
        vm.assertTrue(primaryType == keccak256("Offer"), "a type that this test knows");
        return (TypedData.hash(_offer(json, message)), 3);
    }

    function _job(string memory json, string memory at)
        private
        view
        returns (TypedData.Job memory job)
    {
        string memory list = string.concat(at, ".parameters");
        job.kind = _text(json, at, ".kind");
        job.model = _word(json, at, ".model");
        job.profile = _text(json, at, ".profile");
        job.input = _word(json, at, ".input");
        job.parameters = new TypedData.Parameter[](_count(json, list));
        for (uint256 i = 0; i < job.parameters.length; i++) {
            job.parameters[i].name = _text(json, _at(list, i), ".name");
            job.parameters[i].value = _text(json, _at(list, i), ".value");
        }
        job.seed = _uint64(json, at, ".seed");
        job.priceMax = _uint(json, at, ".priceMax");
        job.deadline = _uint64(json, at, ".deadline");
        job.requester = vm.parseJsonAddress(json, string.concat(at, ".requester"));
        job.nonce = _uint(json, at, ".nonce");
    }

    function _receipt(string memory json, string memory at)
        private
        pure
        returns (TypedData.Receipt memory receipt)
    {
        receipt.job = _word(json, at, ".job");
        receipt.provider = vm.parseJsonAddress(json, string.concat(at, ".provider"));
        receipt.model = _word(json, at, ".model");
        receipt.tokensIn = _uint64(json, at, ".tokensIn");
        receipt.tokensOut = _uint64(json, at, ".tokensOut");
        receipt.steps = _uint64(json, at, ".steps");
        receipt.commitment = _word(json, at, ".commitment");
        receipt.commitmentsRoot = _word(json, at, ".commitmentsRoot");
        receipt.output = _word(json, at, ".output");
        receipt.device = _text(json, at, ".device");
        receipt.profile = _text(json, at, ".profile");
        receipt.startedAt = _uint64(json, at, ".startedAt");
        receipt.finishedAt = _uint64(json, at, ".finishedAt");
        receipt.price = _uint(json, at, ".price");
    }

    function _voucher(string memory json, string memory at)
        private
        pure
        returns (TypedData.Voucher memory voucher)
    {
        voucher.channel = _word(json, at, ".channel");
        voucher.amount = _uint(json, at, ".amount");
        voucher.receiptsRoot = _word(json, at, ".receiptsRoot");
    }

    function _offer(string memory json, string memory at)
        private
        view
        returns (TypedData.Offer memory offer)
    {
        string memory list = string.concat(at, ".addresses");
        offer.peer = _text(json, at, ".peer");
        offer.addresses = new string[](_count(json, list));
        for (uint256 i = 0; i < offer.addresses.length; i++) {
            offer.addresses[i] = vm.parseJsonString(json, _at(list, i));
        }
        offer.account = vm.parseJsonAddress(json, string.concat(at, ".account"));
        list = string.concat(at, ".devices");
        offer.devices = new TypedData.Device[](_count(json, list));
        for (uint256 i = 0; i < offer.devices.length; i++) {
            string memory device = _at(list, i);
            offer.devices[i].name = _text(json, device, ".name");
            offer.devices[i].memoryBytes = _uint64(json, device, ".memoryBytes");
            offer.devices[i].profile = _text(json, device, ".profile");
            offer.devices[i].megaflopsPerSecond = _uint64(json, device, ".megaflopsPerSecond");
            offer.devices[i].megabytesPerSecond = _uint64(json, device, ".megabytesPerSecond");
        }
        list = string.concat(at, ".models");
        offer.models = new TypedData.Model[](_count(json, list));
        for (uint256 i = 0; i < offer.models.length; i++) {
            string memory model = _at(list, i);
            offer.models[i].root = _word(json, model, ".root");
            offer.models[i].name = _text(json, model, ".name");
            offer.models[i].kind = _text(json, model, ".kind");
            offer.models[i].priceIn = _uint(json, model, ".priceIn");
            offer.models[i].priceOut = _uint(json, model, ".priceOut");
        }
        offer.priceMinimum = _uint(json, at, ".priceMinimum");
        offer.region = _text(json, at, ".region");
        offer.validUntil = _uint64(json, at, ".validUntil");
        offer.sequence = _uint64(json, at, ".sequence");
    }

    // Reading JSON.

    function _count(string memory json, string memory list) private view returns (uint256 count) {
        while (vm.keyExistsJson(json, _at(list, count))) count++;
    }

    function _hashes(string memory json, string memory list)
        private
        view
        returns (bytes32[] memory hashes)
    {
        hashes = new bytes32[](_count(json, list));
        for (uint256 i = 0; i < hashes.length; i++) {
            hashes[i] = vm.parseJsonBytes32(json, _at(list, i));
        }
    }

    function _at(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    function _text(string memory json, string memory at, string memory member)
        private
        pure
        returns (string memory)
    {
        return vm.parseJsonString(json, string.concat(at, member));
    }

    function _word(string memory json, string memory at, string memory member)
        private
        pure
        returns (bytes32)
    {
        return vm.parseJsonBytes32(json, string.concat(at, member));
    }

    function _uint(string memory json, string memory at, string memory member)
        private
        pure
        returns (uint256)
    {
        return vm.parseJsonUint(json, string.concat(at, member));
    }

    function _uint64(string memory json, string memory at, string memory member)
        private
        pure
        returns (uint64)
    {
        uint256 value = _uint(json, at, member);
        vm.assertLe(value, type(uint64).max, member);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(value);
    }
}
