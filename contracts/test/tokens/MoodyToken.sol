// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BlockingToken} from "./BlockingToken.sol";

/// @notice Blocks accounts by a revert or by the answer false, keeps a fee of what is taken from an
/// account, and calls back whoever moves it, as it was last told.
contract MoodyToken is BlockingToken {
    bool public saysNo;
    bool public keepsFee;
    address private target;
    bytes[] private calls;
    bool private running;

    /// @notice How many calls were made from within a transfer of the target's, and how many of them
    /// succeeded.
    uint256 public callsTried;
    uint256 public callsDone;

    constructor(address holder, uint256 supply) BlockingToken(holder, supply) {}

    function setMood(bool saysNo_, bool keepsFee_, address target_, bytes[] calldata calls_)
        external
    {
        saysNo = saysNo_;
        keepsFee = keepsFee_;
        target = target_;
        delete calls;
        for (uint256 i = 0; i < calls_.length; i++) {
            calls.push(calls_[i]);
        }
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        _callBack();
        if (saysNo && (blocked[msg.sender] || blocked[to])) return false;
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _callBack();
        if (saysNo && (blocked[from] || blocked[to])) return false;
        super.transferFrom(from, to, value);
        if (keepsFee) _burn(to, 1);
        return true;
    }

    function _callBack() private {
        if (running || msg.sender != target) return;
        running = true;
        for (uint256 i = 0; i < calls.length; i++) {
            callsTried++;
            (bool success,) = target.call(calls[i]);
            if (success) callsDone++;
        }
        running = false;
    }
}
