// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {ProviderRegistry} from "../src/ProviderRegistry.sol";
import {RegistryHandler} from "./handlers/RegistryHandler.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";

/// @notice What must hold after any sequence of calls by anybody.
contract ProviderRegistryInvariantTest is ForgeTest {
    uint64 private constant UNBONDING_SECONDS = 7 days;

    RegistryHandler private handler;
    ProviderRegistry private registry;
    DevToken private token;

    function setUp() public {
        handler = new RegistryHandler(UNBONDING_SECONDS);
        registry = handler.REGISTRY();
        token = handler.TOKEN();
    }

    /// @notice Forge asks this for the contracts whose functions it calls at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One long walk with a fixed seed, since an invariant that nothing ever tries holds always.
    function test_handler_reachesEveryCall() public {
        for (uint256 i = 0; i < 500; i++) {
            uint256 a = uint256(keccak256(abi.encode(i, "a")));
            uint256 b = uint256(keccak256(abi.encode(i, "b")));
            uint256 c = uint256(keccak256(abi.encode(i, "c")));
            uint256 choice = uint256(keccak256(abi.encode(i))) % 5;
            if (choice == 0) handler.stake(a, b);
            else if (choice == 1) handler.requestUnbond(a, b);
            else if (choice == 2) handler.withdraw(a);
            else if (choice == 3) handler.slash(a, b, c);
            else handler.passTime(a);
        }
        vm.assertGt(handler.succeeded("stake"), 0, "stake");
        vm.assertGt(handler.succeeded("requestUnbond"), 0, "requestUnbond");
        vm.assertGt(handler.succeeded("withdraw"), 0, "withdraw");
        vm.assertGt(handler.succeeded("slash"), 0, "slash");
    }

    function invariant_stakeNeverExceedsWhatIsHeld() public view {
        uint256 staked;
        for (uint256 i = 0; i < handler.PROVIDERS(); i++) {
            (uint256 bonded, uint256 unbonding,) = registry.stakeOf(handler.providers(i));
            staked += bonded + unbonding;
        }
        vm.assertEq(token.balanceOf(address(registry)), staked, "held is what is staked");
    }

    function invariant_everyTokenIsWhereTheModelSays() public view {
        for (uint256 i = 0; i < handler.PROVIDERS(); i++) {
            address provider = handler.providers(i);
            (uint256 bonded, uint256 unbonding, uint64 withdrawableAt) = registry.stakeOf(provider);
            RegistryHandler.Stake memory held = handler.stakeOf(provider);
            vm.assertEq(bonded, held.bonded, "bonded");
            vm.assertEq(unbonding, held.unbonding, "unbonding");
            vm.assertEq(withdrawableAt, held.withdrawableAt, "withdrawable at");
            vm.assertEq(token.balanceOf(provider), handler.expectedBalance(provider), "balance");
        }
        vm.assertEq(token.balanceOf(handler.BENEFICIARY()), handler.slashed(), "slashed");
    }

    function invariant_aProviderCanAlwaysLeaveAfterTheUnbondingTime() public {
        for (uint256 i = 0; i < handler.PROVIDERS(); i++) {
            address provider = handler.providers(i);
            (uint256 bonded, uint256 unbonding,) = registry.stakeOf(provider);
            if (bonded + unbonding == 0) continue;
            uint256 before = token.balanceOf(provider);
            uint256 state = vm.snapshotState();

            vm.startPrank(provider);
            if (bonded > 0) registry.requestUnbond(bonded);
            vm.warp(vm.getBlockTimestamp() + UNBONDING_SECONDS);
            registry.withdraw();
            vm.stopPrank();
            vm.assertEq(token.balanceOf(provider), before + bonded + unbonding, "left with all");

            vm.assertTrue(vm.revertToState(state), "state restored");
        }
    }
}
