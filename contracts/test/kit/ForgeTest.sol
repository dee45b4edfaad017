// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Vm} from "./Vm.sol";

/// @notice What every test here stands on: the cheat codes, and accounts that can sign.
abstract contract ForgeTest {
    /// @dev Forge answers cheat codes at the address made of its own well-known hash.
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev When the tests begin, 2026-01-01: a clock near zero would hide arithmetic mistakes.
    uint256 internal constant START_SECONDS = 1_767_225_600;

    /// @notice An account with a known key, labelled in traces.
    struct Account {
        address addr;
        uint256 key;
    }

    function newAccount(string memory name) internal returns (Account memory account) {
        account.key = uint256(keccak256(bytes(name)));
        account.addr = vm.addr(account.key);
        vm.label(account.addr, name);
    }

    /// @notice `value` itself where it lies within the bounds, else some value there.
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        if (value >= low && value <= high) return value;
        uint256 size = high - low + 1;
        return size == 0 ? value : low + value % size;
    }
}
