// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../../src/DevToken.sol";
import {ProviderRegistry} from "../../src/ProviderRegistry.sol";
import {IProviderRegistry} from "../../src/interfaces/IProviderRegistry.sol";
import {ForgeTest} from "../kit/ForgeTest.sol";

/// @notice Makes every kind of call on a registry in any order, right and wrong ones, and keeps a
/// model of the stakes beside it. A call that succeeds where the model says no, or the other way
/// round, fails the test at once.
contract RegistryHandler is ForgeTest {
    uint256 public constant PROVIDERS = 3;
    uint256 public constant SUPPLY_EACH = 1_000_000;

    struct Stake {
        uint256 bonded;
        uint256 unbonding;
        uint256 withdrawableAt;
    }

    ProviderRegistry public immutable REGISTRY;
    DevToken public immutable TOKEN;
    address public immutable REFEREE;
    address public immutable BENEFICIARY;
    uint256 private immutable UNBONDING_SECONDS;

    address[] public providers;
    mapping(address provider => Stake) private stakes;
    mapping(address provider => uint256) public expectedBalance;
    uint256 public slashed;

    /// @notice How often each call went through, which shows that the walk gets everywhere.
    mapping(string call => uint256) public succeeded;

    uint256 private clock = START_SECONDS;

    constructor(uint64 unbondingSeconds) {
        vm.warp(clock);
        UNBONDING_SECONDS = unbondingSeconds;
        REFEREE = newAccount("referee").addr;
        BENEFICIARY = newAccount("beneficiary").addr;
        TOKEN = new DevToken(address(this), PROVIDERS * SUPPLY_EACH);
        REGISTRY = new ProviderRegistry(TOKEN, unbondingSeconds, REFEREE);
        string[3] memory names = ["ada", "ben", "cleo"];
        for (uint256 i = 0; i < PROVIDERS; i++) {
            address provider = newAccount(names[i]).addr;
            providers.push(provider);
            TOKEN.transfer(provider, SUPPLY_EACH);
            expectedBalance[provider] = SUPPLY_EACH;
            vm.prank(provider);
            TOKEN.approve(address(REGISTRY), type(uint256).max);
        }
    }

    function stake(uint256 providerSeed, uint256 amount) external {
        address provider = providers[providerSeed % PROVIDERS];
        amount = bound(amount, 0, SUPPLY_EACH / 3);
        bool allowed = amount > 0 && expectedBalance[provider] >= amount;
        _call(provider, abi.encodeCall(IProviderRegistry.stake, (amount)), allowed, "stake");
        if (!allowed) return;
        expectedBalance[provider] -= amount;
        stakes[provider].bonded += amount;
    }

    function requestUnbond(uint256 providerSeed, uint256 amount) external {
        address provider = providers[providerSeed % PROVIDERS];
        Stake storage held = stakes[provider];
        amount = bound(amount, 0, held.bonded + 1);
        bool allowed = amount > 0 && amount <= held.bonded;
        _call(
            provider,
            abi.encodeCall(IProviderRegistry.requestUnbond, (amount)),
            allowed,
            "requestUnbond"
        );
        if (!allowed) return;
        held.bonded -= amount;
        held.unbonding += amount;
        held.withdrawableAt = clock + UNBONDING_SECONDS;
    }

    function withdraw(uint256 providerSeed) external {
        address provider = providers[providerSeed % PROVIDERS];
        Stake storage held = stakes[provider];
        bool allowed = held.unbonding > 0 && clock >= held.withdrawableAt;
        _call(provider, abi.encodeCall(IProviderRegistry.withdraw, ()), allowed, "withdraw");
        if (!allowed) return;
        expectedBalance[provider] += held.unbonding;
        held.unbonding = 0;
        held.withdrawableAt = 0;
    }

    function slash(uint256 callerSeed, uint256 providerSeed, uint256 amount) external {
        address provider = providers[providerSeed % PROVIDERS];
        address caller = callerSeed % 4 == 0 ? provider : REFEREE;
        Stake storage held = stakes[provider];
        uint256 atRisk = held.bonded + held.unbonding;
        amount = bound(amount, 0, atRisk + 10);
        bool allowed = caller == REFEREE && amount > 0 && atRisk > 0;
        _call(
            caller,
            abi.encodeCall(IProviderRegistry.slash, (provider, amount, BENEFICIARY)),
            allowed,
            "slash"
        );
        if (!allowed) return;
        uint256 taken = amount < atRisk ? amount : atRisk;
        slashed += taken;
        if (taken <= held.bonded) {
            held.bonded -= taken;
        } else {
            held.unbonding -= taken - held.bonded;
            held.bonded = 0;
        }
        if (held.unbonding == 0) held.withdrawableAt = 0;
    }

    function passTime(uint256 elapsedSeconds) external {
        clock += bound(elapsedSeconds, 1, UNBONDING_SECONDS);
        vm.warp(clock);
    }

    function stakeOf(address provider) external view returns (Stake memory) {
        return stakes[provider];
    }

    function _call(address caller, bytes memory data, bool allowed, string memory name) private {
        vm.warp(clock);
        vm.prank(caller);
        (bool success,) = address(REGISTRY).call(data);
        vm.assertEq(success, allowed, name);
        if (success) succeeded[name]++;
    }
}
