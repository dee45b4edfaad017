// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @notice Balances are parts of a sum that grows and shrinks by itself, as those of tokens do that
/// pay interest, or are slashed, in place.
contract RebasingToken {
    uint256 private constant ONE = 100;

    mapping(address account => uint256) private _parts;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    uint256 private _percent = ONE;

    error Insufficient();

    constructor(address holder, uint256 supply) {
        _parts[holder] = supply * ONE;
    }

    /// @notice What a token of the beginning is now, in hundredths.
    function rebase(uint256 percent) external {
        _percent = percent;
    }

    function balanceOf(address account) public view returns (uint256) {
        return _parts[account] * _percent / ONE / ONE;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        return _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (allowance[from][msg.sender] < value) revert Insufficient();
        return _move(from, to, value);
    }

    function _move(address from, address to, uint256 value) private returns (bool) {
        uint256 parts = value * ONE * ONE / _percent;
        if (parts > _parts[from]) revert Insufficient();
        _parts[from] -= parts;
        _parts[to] += parts;
        return true;
    }
}
