// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";
import {ChannelSlot} from "./ChannelSlot.sol";
import {TypedData} from "./TypedData.sol";

/// @title Vouchers, handed in by the thousand
/// @notice Checks and pays one claim: what is said in Solidity by {PaymentChannels.redeemSigned}, for
/// half of the gas around what the chain itself asks for, and without leaving memory behind. The
/// tests hold both to the same results.
/// @dev A claim is six words: payerAndSalt, signer, amount, receiptsRoot, r, vs. A word with bits
/// above its type's is not cut: it makes the id of no channel, or another digest than was signed.
library Claims {
    /// @dev Half of the order of secp256k1. A signature has two forms, s and order - s; EIP-2 takes
    /// the lower.
    uint256 private constant HALF_ORDER =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    uint256 private constant REDEEMED_EVENT =
        uint256(keccak256("Redeemed(bytes32,uint96,bytes32)"));

    /// @notice The id of the channel that the claim is on.
    function channelOf(IPaymentChannels.Claim calldata claim, address payee, address token)
        internal
        pure
        returns (bytes32 id)
    {
        assembly ("memory-safe") {
            let words := mload(0x40)
            let payerAndSalt := calldataload(claim)
            mstore(words, shr(96, payerAndSalt))
            mstore(add(words, 0x20), calldataload(add(claim, 0x20)))
            mstore(add(words, 0x40), payee)
            mstore(add(words, 0x60), token)
            mstore(add(words, 0x80), and(payerAndSalt, 0xffffffffffffffffffffffff))
            id := keccak256(words, 0xa0)
        }
    }

    /// @notice Pays the claim as far as its channel goes: writes down that it was, and emits Redeemed.
    /// @return before What the channel had paid before.
    /// @return redeemed What it has paid now; the same where the claim is good for nothing.
    function take(
        IPaymentChannels.Claim calldata claim,
        mapping(bytes32 channel => ChannelSlot) storage channels,
        bytes32 id,
        bytes32 separator
    ) internal returns (uint256 before, uint256 redeemed) {
        bytes32 typeHash = TypedData.VOUCHER_TYPEHASH;
        uint256 eventHash = REDEEMED_EVENT;
        assembly ("memory-safe") {
            // The slot of the channel, as the compiler places a mapping's.
            mstore(0x00, id)
            mstore(0x20, channels.slot)
            let place := keccak256(0x00, 0x40)
            // From the lowest bit: 96 of deposit, 96 of what was redeemed, 40 of when it closes.
            let slot := sload(place)
            before := and(shr(96, slot), 0xffffffffffffffffffffffff)
            redeemed := before
            let amount := calldataload(add(claim, 0x40))
            let target := and(slot, 0xffffffffffffffffffffffff)
            if lt(amount, target) { target := amount }
            // A channel that was never opened holds nothing, so that nothing is above what it paid.
            // One that is closed for ever has all the bits of its time.
            if and(gt(target, before), lt(shr(192, slot), 0xffffffffff)) {
                // Memory beyond the free memory pointer may be written by anybody who reads it at
                // once. hashStruct: the type, the channel, amount and receiptsRoot.
                let words := mload(0x40)
                mstore(words, typeHash)
                mstore(add(words, 0x20), id)
                calldatacopy(add(words, 0x40), add(claim, 0x40), 0x40)
                let structHash := keccak256(words, 0x80)
                // The digest, and the signature: the highest bit of the last word is v, the rest s.
                mstore(words, shl(240, 0x1901))
                mstore(add(words, 0x02), separator)
                mstore(add(words, 0x22), structHash)
                mstore(words, keccak256(words, 0x42))
                let vs := calldataload(add(claim, 0xa0))
                let s := shr(1, shl(1, vs))
                mstore(add(words, 0x20), add(27, shr(255, vs)))
                mstore(add(words, 0x40), calldataload(add(claim, 0x80)))
                mstore(add(words, 0x60), s)
                // The precompile answers nothing where no key fits. Zero is nobody's address, and
                // no channel has it as its signer.
                mstore(0x00, 0)
                pop(staticcall(gas(), 1, words, 0x80, 0x00, 0x20))
                if and(eq(mload(0x00), calldataload(add(claim, 0x20))), iszero(gt(s, HALF_ORDER))) {
                    redeemed := target
                    sstore(place, xor(slot, shl(96, xor(before, redeemed))))
                    mstore(words, redeemed)
                    calldatacopy(add(words, 0x20), add(claim, 0x60), 0x20)
                    log2(words, 0x40, eventHash, id)
                }
            }
        }
    }
}
