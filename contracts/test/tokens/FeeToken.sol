// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Keeps one percent of every transfer once its fee is switched on.
contract FeeToken is ERC20 {
    bool public feeOn;

    constructor(address holder, uint256 supply) ERC20("Fee", "FEE") {
        _mint(holder, supply);
    }

    function setFee(bool on) external {
        feeOn = on;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (feeOn && from != address(0)) super._update(to, address(0xFEE), value / 100);
    }
}
