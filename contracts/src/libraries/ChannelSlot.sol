// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IPaymentChannels} from "../interfaces/IPaymentChannels.sol";

/// @notice A channel's state in its one storage slot: from the lowest bit 96 of deposit, 96 of what
/// was redeemed, 40 of when it closes.
type ChannelSlot is uint256;

using ChannelSlots for ChannelSlot global;

/// @title A channel in one word
/// @notice A struct would be read and written member by member; a redemption reads the slot once and
/// writes it once.
library ChannelSlots {
    uint256 private constant REDEEMED_AT = 96;
    uint256 private constant CLOSES_AT = 192;
    uint256 private constant REDEEMED_MASK = uint256(type(uint96).max) << REDEEMED_AT;

    /// @notice The time of a channel that is closed for ever.
    uint40 internal constant CLOSED = type(uint40).max;

    /// @notice The state of a channel that was just opened.
    function opened(uint96 amount) internal pure returns (ChannelSlot) {
        return ChannelSlot.wrap(amount);
    }

    /// @notice All that was ever put in.
    function deposit(ChannelSlot slot) internal pure returns (uint96) {
        // The lowest 96 bits are meant.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint96(ChannelSlot.unwrap(slot));
    }

    /// @notice All that was ever paid out.
    function redeemed(ChannelSlot slot) internal pure returns (uint96) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint96(ChannelSlot.unwrap(slot) >> REDEEMED_AT);
    }

    /// @notice Zero while open, {CLOSED} once closed, else when anybody may close it.
    function closesAt(ChannelSlot slot) internal pure returns (uint40) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(ChannelSlot.unwrap(slot) >> CLOSES_AT);
    }

    /// @notice True if the channel was opened and is not closed.
    function isOpen(ChannelSlot slot) internal pure returns (bool) {
        return ChannelSlot.unwrap(slot) != 0 && closesAt(slot) != CLOSED;
    }

    /// @notice The state with another deposit.
    function withDeposit(ChannelSlot slot, uint96 amount) internal pure returns (ChannelSlot) {
        uint256 others = ChannelSlot.unwrap(slot) >> REDEEMED_AT << REDEEMED_AT;
        return ChannelSlot.wrap(others | amount);
    }

    /// @notice The state with another sum of what was paid out.
    function withRedeemed(ChannelSlot slot, uint96 amount) internal pure returns (ChannelSlot) {
        uint256 others = ChannelSlot.unwrap(slot) & ~REDEEMED_MASK;
        return ChannelSlot.wrap(others | uint256(amount) << REDEEMED_AT);
    }

    /// @notice The state with another closing time.
    function withClosesAt(ChannelSlot slot, uint40 time) internal pure returns (ChannelSlot) {
        uint256 others = ChannelSlot.unwrap(slot) & (uint256(1) << CLOSES_AT) - 1;
        return ChannelSlot.wrap(others | uint256(time) << CLOSES_AT);
    }

    /// @notice The same with names.
    function read(ChannelSlot slot) internal pure returns (IPaymentChannels.Channel memory) {
        return IPaymentChannels.Channel(deposit(slot), redeemed(slot), closesAt(slot));
    }
}
