// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DevToken} from "../src/DevToken.sol";
import {ProviderRegistry} from "../src/ProviderRegistry.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {ExactTransfer} from "../src/libraries/ExactTransfer.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";

contract ProviderRegistryTest is PermitSigner {
    uint64 private constant UNBONDING_SECONDS = 7 days;

    DevToken private token;
    ProviderRegistry private registry;
    Account private provider;
    Account private referee;
    address private beneficiary;

    function setUp() public {
        vm.warp(START_SECONDS);
        provider = newAccount("provider");
        referee = newAccount("referee");
        beneficiary = newAccount("beneficiary").addr;
        token = new DevToken(provider.addr, type(uint128).max);
        registry = new ProviderRegistry(token, UNBONDING_SECONDS, referee.addr);
        vm.prank(provider.addr);
        token.approve(address(registry), type(uint256).max);
    }

    // Deployment.

    function test_constructor_refusesATokenWithoutCode() public {
        address nobody = newAccount("nobody").addr;
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.TokenHasNoCode.selector, nobody));
        new ProviderRegistry(IERC20(nobody), UNBONDING_SECONDS, referee.addr);
    }

    function test_constructor_refusesAnUnbondingTimeAboveAYear() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IProviderRegistry.UnbondingTooLong.selector, 365 days + 1, 365 days
            )
        );
        new ProviderRegistry(token, 365 days + 1, referee.addr);
        new ProviderRegistry(token, 365 days, referee.addr);
    }

    function test_views_tellWhatWasDeployed() public view {
        vm.assertEq(address(registry.token()), address(token), "token");
        vm.assertEq(registry.unbondingSeconds(), UNBONDING_SECONDS, "unbonding time");
        vm.assertEq(registry.referee(), referee.addr, "referee");
    }

    // Staking.

    function test_stake_movesTheTokensAndCountsThem() public {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.Staked(provider.addr, 100, 100);
        _stake(100);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.Staked(provider.addr, 50, 150);
        _stake(50);

        _assertStake(150, 0, 0);
        vm.assertEq(token.balanceOf(address(registry)), 150, "held");
    }

    function test_stake_refusesZero() public {
        vm.prank(provider.addr);
        vm.expectRevert(IProviderRegistry.ZeroAmount.selector);
        registry.stake(0);
    }

    function test_stake_refusesMoreThanOneSlotHolds() public {
        _stake(type(uint96).max - 1);
        vm.prank(provider.addr);
        registry.requestUnbond(1000);

        vm.prank(provider.addr);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.StakeTooLarge.selector, 2));
        registry.stake(2);
        _stake(1);
        _assertStake(
            uint256(type(uint96).max) - 1000, 1000, uint64(START_SECONDS + UNBONDING_SECONDS)
        );
    }

    function test_stakeWithPermit_needsNoAllowance() public {
        vm.prank(provider.addr);
        token.approve(address(registry), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(provider, address(token), address(registry), 70, START_SECONDS);

        vm.prank(provider.addr);
        registry.stakeWithPermit(70, START_SECONDS, v, r, s);

        _assertStake(70, 0, 0);
    }

    function test_stakeWithPermit_worksWhenSomebodyHandedThePermitInFirst() public {
        vm.prank(provider.addr);
        token.approve(address(registry), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(provider, address(token), address(registry), 70, START_SECONDS);
        token.permit(provider.addr, address(registry), 70, START_SECONDS, v, r, s);

        vm.prank(provider.addr);
        registry.stakeWithPermit(70, START_SECONDS, v, r, s);

        _assertStake(70, 0, 0);
    }

    function test_stakeWithPermit_refusesAnExpiredPermit() public {
        vm.prank(provider.addr);
        token.approve(address(registry), 69);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(provider, address(token), address(registry), 70, START_SECONDS - 1);

        vm.prank(provider.addr);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.PermitRefused.selector, 69, 70));
        registry.stakeWithPermit(70, START_SECONDS - 1, v, r, s);
    }

    // Unbonding.

    function test_requestUnbond_startsTheClock() public {
        _stake(100);
        uint64 withdrawableAt = uint64(START_SECONDS + UNBONDING_SECONDS);

        vm.expectEmit(address(registry));
        emit IProviderRegistry.UnbondRequested(provider.addr, 40, withdrawableAt);
        vm.prank(provider.addr);
        registry.requestUnbond(40);

        _assertStake(60, 40, withdrawableAt);
    }

    function test_requestUnbond_addsToThePendingAndRestartsItsClock() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(40);
        vm.warp(START_SECONDS + 3 days);
        vm.prank(provider.addr);
        registry.requestUnbond(10);

        _assertStake(50, 50, uint64(START_SECONDS + 3 days + UNBONDING_SECONDS));
    }

    function test_requestUnbond_refusesMoreThanIsBonded() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(60);

        vm.prank(provider.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.UnbondExceedsStake.selector, 41, 40)
        );
        registry.requestUnbond(41);
    }

    function test_requestUnbond_refusesZeroWhichWouldOnlyMoveTheClock() public {
        _stake(100);
        vm.prank(provider.addr);
        vm.expectRevert(IProviderRegistry.ZeroAmount.selector);
        registry.requestUnbond(0);
    }

    function test_withdraw_paysAtTheFirstSecondAllowedAndNotBefore() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(40);
        uint64 withdrawableAt = uint64(START_SECONDS + UNBONDING_SECONDS);

        vm.warp(withdrawableAt - 1);
        vm.prank(provider.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.StillUnbonding.selector, withdrawableAt)
        );
        registry.withdraw();

        vm.warp(withdrawableAt);
        uint256 balanceBefore = token.balanceOf(provider.addr);
        vm.expectEmit(address(registry));
        emit IProviderRegistry.Withdrawn(provider.addr, 40);
        vm.prank(provider.addr);
        registry.withdraw();

        vm.assertEq(token.balanceOf(provider.addr) - balanceBefore, 40, "paid");
        _assertStake(60, 0, 0);
    }

    function test_withdraw_paysOnce() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(40);
        vm.warp(START_SECONDS + UNBONDING_SECONDS);
        vm.prank(provider.addr);
        registry.withdraw();

        vm.prank(provider.addr);
        vm.expectRevert(IProviderRegistry.NothingUnbonding.selector);
        registry.withdraw();
    }

    function test_withdraw_refusesWhereNothingWasRequested() public {
        _stake(100);
        vm.prank(provider.addr);
        vm.expectRevert(IProviderRegistry.NothingUnbonding.selector);
        registry.withdraw();
    }

    // Slashing.

    function test_slash_takesFromTheStakeFirst() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(40);

        vm.expectEmit(address(registry));
        emit IProviderRegistry.Slashed(provider.addr, 50, beneficiary);
        vm.prank(referee.addr);
        vm.assertEq(registry.slash(provider.addr, 50, beneficiary), 50, "taken");

        vm.assertEq(token.balanceOf(beneficiary), 50, "beneficiary");
        _assertStake(10, 40, uint64(START_SECONDS + UNBONDING_SECONDS));
    }

    function test_slash_reachesWhatIsUnbondingEvenWhenItCouldLeave() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(40);
        vm.warp(START_SECONDS + UNBONDING_SECONDS);

        vm.prank(referee.addr);
        vm.assertEq(registry.slash(provider.addr, 70, beneficiary), 70, "taken");

        _assertStake(0, 30, uint64(START_SECONDS + UNBONDING_SECONDS));
    }

    function test_slash_takesWhatThereIsWhenThatIsLess() public {
        _stake(100);
        vm.prank(provider.addr);
        registry.requestUnbond(40);

        vm.expectEmit(address(registry));
        emit IProviderRegistry.Slashed(provider.addr, 100, beneficiary);
        vm.prank(referee.addr);
        vm.assertEq(registry.slash(provider.addr, type(uint256).max, beneficiary), 100, "taken");

        _assertStake(0, 0, 0);
        vm.prank(referee.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.NothingToSlash.selector, provider.addr)
        );
        registry.slash(provider.addr, 1, beneficiary);
    }

    function testFuzz_slash_refusesEverybodyButTheReferee(address caller) public {
        vm.assume(caller != referee.addr);
        _stake(100);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.NotReferee.selector, caller));
        registry.slash(provider.addr, 1, caller);
    }

    function test_slash_refusesZeroAndNobody() public {
        _stake(100);
        vm.startPrank(referee.addr);
        vm.expectRevert(IProviderRegistry.ZeroAmount.selector);
        registry.slash(provider.addr, 0, beneficiary);
        vm.expectRevert(IProviderRegistry.ZeroBeneficiary.selector);
        registry.slash(provider.addr, 1, address(0));
    }

    // Everything at once.

    function testFuzz_stakeUnbondSlashWithdraw_conservesEveryToken(
        uint256 staked,
        uint256 unbonded,
        uint256 slashed
    ) public {
        staked = bound(staked, 1, type(uint96).max);
        unbonded = bound(unbonded, 1, staked);
        slashed = bound(slashed, 1, type(uint128).max);
        _stake(staked);
        vm.prank(provider.addr);
        registry.requestUnbond(unbonded);
        vm.prank(referee.addr);
        uint256 taken = registry.slash(provider.addr, slashed, beneficiary);
        vm.assertEq(taken, slashed < staked ? slashed : staked, "taken");

        uint256 unbondingLeft = staked - taken < unbonded ? staked - taken : unbonded;
        (uint256 bonded, uint256 unbonding,) = registry.stakeOf(provider.addr);
        vm.assertEq(bonded + unbonding, staked - taken, "left at stake");
        vm.assertEq(unbonding, unbondingLeft, "unbonding is taken last");
        vm.assertEq(token.balanceOf(address(registry)), staked - taken, "held");

        if (unbondingLeft == 0) return;
        vm.warp(START_SECONDS + UNBONDING_SECONDS);
        vm.prank(provider.addr);
        registry.withdraw();
        vm.assertEq(token.balanceOf(address(registry)), bonded, "held after withdrawal");
    }

    // Peers.

    function test_bindPeer_keepsWhatTheAccountSaysLast() public {
        vm.expectEmit(address(registry));
        emit IProviderRegistry.PeerBound(address(this), hex"0024", hex"aabb");
        registry.bindPeer(hex"0024", hex"aabb");
        registry.bindPeer(hex"1234", new bytes(64));
        (bytes memory peerId, bytes memory signature) = registry.peerOf(address(this));
        vm.assertEq(keccak256(peerId), keccak256(hex"1234"), "peer");
        vm.assertEq(keccak256(signature), keccak256(new bytes(64)), "signature");
        (peerId, signature) = registry.peerOf(address(registry));
        vm.assertEq(peerId.length + signature.length, 0, "another's");
    }

    function test_bindPeer_refusesLengthsThatNoPeerHas() public {
        uint256[2] memory ids = [uint256(0), 65];
        for (uint256 i = 0; i < ids.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.PeerIdLength.selector, ids[i]));
            registry.bindPeer(new bytes(ids[i]), new bytes(64));
        }
        uint256[2] memory signatures = [uint256(0), 1025];
        for (uint256 i = 0; i < signatures.length; i++) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IProviderRegistry.PeerSignatureLength.selector, signatures[i]
                )
            );
            registry.bindPeer(new bytes(38), new bytes(signatures[i]));
        }
        registry.bindPeer(new bytes(64), new bytes(1024));
    }

    function _stake(uint256 amount) private {
        vm.prank(provider.addr);
        registry.stake(amount);
    }

    function _assertStake(uint256 bonded, uint256 unbonding, uint64 withdrawableAt) private view {
        (uint256 actualBonded, uint256 actualUnbonding, uint64 actualWithdrawableAt) =
            registry.stakeOf(provider.addr);
        vm.assertEq(actualBonded, bonded, "bonded");
        vm.assertEq(actualUnbonding, unbonding, "unbonding");
        vm.assertEq(actualWithdrawableAt, withdrawableAt, "withdrawable at");
    }
}
