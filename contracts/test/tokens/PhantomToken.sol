// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Takes any call that it does not know and does nothing, as wrapped ether does: a permit
/// seems to work, whoever signed it.
contract PhantomToken is ERC20 {
    constructor(address holder, uint256 supply) ERC20("Phantom", "PHAN") {
        _mint(holder, supply);
    }

    fallback() external {}
}
