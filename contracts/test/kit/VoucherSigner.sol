// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IPaymentChannels} from "../../src/interfaces/IPaymentChannels.sol";
import {ForgeTest} from "./ForgeTest.sol";

/// @notice Signs what PaymentChannels takes, as a wallet would, from the text of docs/protocol.md and
/// not with the library under test.
abstract contract VoucherSigner is ForgeTest {
    // The order of secp256k1.
    uint256 internal constant ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 channel,uint256 amount,bytes32 receiptsRoot)");
    bytes32 private constant SESSION_KEY_TYPEHASH = keccak256(
        "SessionKey(address payer,address key,address token,uint256 limit,uint64 expiresAt,uint256 nonce)"
    );

    function domainOf(uint256 chainId, address verifying) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("RigMesh"),
                keccak256("1"),
                chainId,
                verifying
            )
        );
    }

    function voucherDigest(bytes32 domain, bytes32 channel, uint256 amount, bytes32 receiptsRoot)
        internal
        pure
        returns (bytes32)
    {
        bytes32 structHash = keccak256(abi.encode(VOUCHER_TYPEHASH, channel, amount, receiptsRoot));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function sessionDigest(
        bytes32 domain,
        address payer,
        address key,
        address token,
        uint256 limit,
        uint64 expiresAt,
        uint256 nonce
    ) internal pure returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(SESSION_KEY_TYPEHASH, payer, key, token, limit, expiresAt, nonce)
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @notice 65 bytes: r, s, v.
    function signLong(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice The second form that every signature has: s becomes order - s, and v the other one.
    /// Whoever sees a signature can make it, and a key's owner never does.
    function otherForm(bytes memory signature) internal pure returns (bytes memory) {
        bytes32 r;
        uint256 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        return abi.encodePacked(r, ORDER - s, uint8(signature[64]) == 27 ? 28 : 27);
    }

    /// @notice The form of EIP-2098: the highest bit of s, which is never set, says v.
    function signShort(uint256 key, bytes32 digest) internal pure returns (bytes32 r, bytes32 vs) {
        uint8 v;
        bytes32 s;
        (v, r, s) = vm.sign(key, digest);
        vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
    }

    function claimOf(
        bytes32 domain,
        IPaymentChannels.Terms memory terms,
        uint256 signerKey,
        uint256 amount,
        bytes32 receiptsRoot
    ) internal pure returns (IPaymentChannels.Claim memory claim) {
        bytes32 digest = voucherDigest(domain, keccak256(abi.encode(terms)), amount, receiptsRoot);
        claim.payerAndSalt = bytes32(uint256(uint160(terms.payer)) << 96 | terms.salt);
        claim.signer = terms.signer;
        claim.amount = amount;
        claim.receiptsRoot = receiptsRoot;
        (claim.r, claim.vs) = signShort(signerKey, digest);
    }
}
