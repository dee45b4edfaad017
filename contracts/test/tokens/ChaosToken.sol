// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice A token that does what the test last told it, and in the middle of every transfer and
/// permit makes the calls that it was given, as itself. Balances are whatever it says.
contract ChaosToken {
    mapping(address account => uint256) public balanceOf;
    bytes[] private calls;
    address private target;
    bool private running;
    uint256 private moved = 100;
    bool private reverts;
    bool private saysNo;

    /// @notice How many calls were made from within a transfer or permit, and how many succeeded.
    uint256 public callsTried;
    uint256 public callsDone;

    error Chaos();

    /// @param moved_ How much of a transfer arrives, in hundredths.
    /// @param saysNo_ Whether a transfer answers false, whatever it moved.
    function arm(
        address target_,
        uint256 moved_,
        bool reverts_,
        bool saysNo_,
        bytes[] calldata calls_
    ) external {
        target = target_;
        moved = moved_;
        reverts = reverts_;
        saysNo = saysNo_;
        delete calls;
        for (uint256 i = 0; i < calls_.length; i++) {
            calls.push(calls_[i]);
        }
    }

    function allowance(address, address) external pure returns (uint256) {
        return type(uint256).max;
    }

    function permit(address, address, uint256, uint256, uint8, bytes32, bytes32) external {
        _misbehave();
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _misbehave();
        if (balanceOf[msg.sender] >= value) balanceOf[msg.sender] -= value;
        balanceOf[to] += value * moved / 100;
        return !saysNo;
    }

    function transferFrom(address, address to, uint256 value) external returns (bool) {
        balanceOf[to] += value * moved / 100;
        _misbehave();
        return !saysNo;
    }

    function _misbehave() private {
        if (reverts) revert Chaos();
        if (running) return;
        running = true;
        for (uint256 i = 0; i < calls.length; i++) {
            callsTried++;
            (bool success,) = target.call(calls[i]);
            if (success) callsDone++;
        }
        running = false;
    }
}
