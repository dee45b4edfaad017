// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Answers false instead of reverting, or true without moving anything, or reverts, while told so.
contract FalseToken is ERC20 {
    enum Mood {
        Honest,
        SaysNo,
        SaysYesMovesNothing,
        Reverts
    }

    error NotToday();

    Mood public mood;

    constructor(address holder, uint256 supply) ERC20("False", "FALSE") {
        _mint(holder, supply);
    }

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (mood != Mood.Honest) return _lie();
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        if (mood != Mood.Honest) return _lie();
        return super.transferFrom(from, to, value);
    }

    function _lie() private view returns (bool) {
        if (mood == Mood.Reverts) revert NotToday();
        return mood == Mood.SaysYesMovesNothing;
    }
}
