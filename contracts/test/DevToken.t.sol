// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";

contract DevTokenTest is PermitSigner {
    DevToken private token;
    Account private holder;

    function setUp() public {
        vm.warp(START_SECONDS);
        holder = newAccount("holder");
        token = new DevToken(holder.addr, 1_000_000e6);
    }

    function test_constructor_givesTheWholeSupplyToTheHolder() public view {
        vm.assertEq(token.totalSupply(), 1_000_000e6, "supply");
        vm.assertEq(token.balanceOf(holder.addr), 1_000_000e6, "holder's balance");
    }

    function test_metadata_isThatOfADollarWithSixDecimals() public view {
        vm.assertEq(token.name(), "RigMesh Development Dollar", "name");
        vm.assertEq(token.symbol(), "rUSD", "symbol");
        vm.assertEq(token.decimals(), 6, "decimals");
    }

    function testFuzz_permit_setsTheAllowanceThatWasSigned(address spender, uint256 value) public {
        vm.assume(spender != address(0));
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(holder, address(token), spender, value, START_SECONDS);

        token.permit(holder.addr, spender, value, START_SECONDS, v, r, s);

        vm.assertEq(token.allowance(holder.addr, spender), value, "allowance");
    }
}
