// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title The currency of development chains
/// @notice A dollar with six decimals and permit, as the stablecoins are that a real market settles
/// in. It is worth nothing: the whole supply is made at deployment, and nobody can make more.
contract DevToken is ERC20, ERC20Permit {
    /// @param holder The account that gets the whole supply.
    /// @param supply The supply in the smallest unit, a millionth of a dollar.
    constructor(address holder, uint256 supply)
        ERC20("RigMesh Development Dollar", "rUSD")
        ERC20Permit("RigMesh Development Dollar")
    {
        _mint(holder, supply);
    }

    /// @inheritdoc ERC20
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
