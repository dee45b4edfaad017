// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Called by a {HookToken} during the transfers of an account that asked for it.
interface ITransferHook {
    function onTransfer(address from, address to, uint256 value) external;
}

/// @notice Calls the payer before and the payee after every transfer, where they asked for it: the
/// way of ERC-777, and how a transfer becomes a way in for the other side's code.
contract HookToken is ERC20 {
    mapping(address account => bool) public hooked;

    constructor(address holder, uint256 supply) ERC20("Hook", "HOOK") {
        _mint(holder, supply);
    }

    function setHook(bool on) external {
        hooked[msg.sender] = on;
    }

    /// @notice A permit that asks nobody for a signature, and calls its owner back.
    function permit(address owner, address spender, uint256 value, uint256, uint8, bytes32, bytes32)
        external
    {
        if (hooked[owner]) ITransferHook(owner).onTransfer(owner, spender, 0);
        _approve(owner, spender, value);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (hooked[from]) ITransferHook(from).onTransfer(from, to, value);
        super._update(from, to, value);
        if (hooked[to]) ITransferHook(to).onTransfer(from, to, value);
    }
}
