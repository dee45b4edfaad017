// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Has a list of accounts that can neither pay nor be paid, as regulated stablecoins do.
contract BlockingToken is ERC20 {
    mapping(address account => bool) public blocked;

    error AccountBlocked(address account);

    constructor(address holder, uint256 supply) ERC20("Blocking", "BLK") {
        _mint(holder, supply);
    }

    function setBlocked(address account, bool isBlocked) external {
        blocked[account] = isBlocked;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (blocked[from]) revert AccountBlocked(from);
        if (blocked[to]) revert AccountBlocked(to);
        super._update(from, to, value);
    }
}
