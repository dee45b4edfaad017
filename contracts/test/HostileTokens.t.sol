// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {JobEscrow} from "../src/JobEscrow.sol";
import {ProviderRegistry} from "../src/ProviderRegistry.sol";
import {IJobEscrow} from "../src/interfaces/IJobEscrow.sol";
import {IProviderRegistry} from "../src/interfaces/IProviderRegistry.sol";
import {ExactTransfer} from "../src/libraries/ExactTransfer.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";
import {BlockingToken} from "./tokens/BlockingToken.sol";
import {FalseToken} from "./tokens/FalseToken.sol";
import {FeeToken} from "./tokens/FeeToken.sol";
import {HookToken} from "./tokens/HookToken.sol";
import {RebasingToken} from "./tokens/RebasingToken.sol";
import {ReentrantParty} from "./tokens/ReentrantParty.sol";
import {SilentToken} from "./tokens/SilentToken.sol";

/// @notice Tokens that do not behave, in escrow and registry: they may harm those who hold them, and
/// nobody else.
contract HostileTokensTest is ForgeTest {
    uint64 private constant CHALLENGE_SECONDS = 1 hours;
    uint64 private constant UNBONDING_SECONDS = 7 days;
    uint64 private constant DEADLINE = uint64(START_SECONDS + 1 days);
    uint128 private constant AMOUNT = 1000;
    uint128 private constant DUE = 600;
    uint256 private constant SUPPLY = 1_000_000;
    bytes32 private constant JOB = keccak256("job");
    bytes32 private constant OTHER_JOB = keccak256("other job");
    bytes32 private constant ROOT = keccak256("root");

    address private requester;
    address private provider;
    address private referee;

    function setUp() public {
        vm.warp(START_SECONDS);
        requester = newAccount("requester").addr;
        provider = newAccount("provider").addr;
        referee = newAccount("referee").addr;
    }

    // A token that keeps a part of each transfer.

    function test_feeToken_isRefusedAtTheDoor() public {
        FeeToken token = new FeeToken(requester, SUPPLY);
        token.setFee(true);
        JobEscrow escrow = _escrowFor(token);
        ProviderRegistry registry = _registryFor(token, requester);

        vm.startPrank(requester);
        vm.expectRevert(
            abi.encodeWithSelector(ExactTransfer.DepositNotExact.selector, AMOUNT, AMOUNT - 10)
        );
        escrow.fund(JOB, provider, AMOUNT, DEADLINE, 1);
        vm.expectRevert(
            abi.encodeWithSelector(ExactTransfer.DepositNotExact.selector, AMOUNT, AMOUNT - 10)
        );
        registry.stake(AMOUNT);
    }

    function test_feeToken_thatStartsItsFeeLaterCostsOnlyThoseItPays() public {
        FeeToken token = new FeeToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        _fundAcceptProve(escrow, JOB);
        _fund(escrow, OTHER_JOB);

        token.setFee(true);
        vm.prank(requester);
        escrow.release(requester, JOB, 1);
        vm.assertEq(token.balanceOf(provider), DUE - DUE / 100, "the provider bears its fee");
        vm.assertEq(token.balanceOf(address(escrow)), AMOUNT, "the other job is still covered");

        vm.warp(DEADLINE);
        escrow.refund(requester, OTHER_JOB);
        vm.assertEq(token.balanceOf(address(escrow)), 0, "and was paid in full");
    }

    // A token that answers false, or lies.

    function test_falseToken_cannotFundOrStakeWithoutMovingTokens() public {
        FalseToken token = new FalseToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        ProviderRegistry registry = _registryFor(token, requester);
        bytes memory refused =
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));
        bytes memory nothingCame =
            abi.encodeWithSelector(ExactTransfer.DepositNotExact.selector, AMOUNT, 0);

        vm.startPrank(requester);
        token.setMood(FalseToken.Mood.SaysNo);
        vm.expectRevert(refused);
        escrow.fund(JOB, provider, AMOUNT, DEADLINE, 1);
        vm.expectRevert(refused);
        registry.stake(AMOUNT);

        token.setMood(FalseToken.Mood.SaysYesMovesNothing);
        vm.expectRevert(nothingCame);
        escrow.fund(JOB, provider, AMOUNT, DEADLINE, 1);
        vm.expectRevert(nothingCame);
        registry.stake(AMOUNT);
    }

    function test_falseToken_thatRefusesAReleaseLosesNobodysMoney() public {
        FalseToken token = new FalseToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        _fundAcceptProve(escrow, JOB);
        token.setMood(FalseToken.Mood.SaysNo);

        vm.prank(requester);
        escrow.release(requester, JOB, 1);
        vm.assertEq(escrow.deferredOf(provider), DUE, "deferred for the provider");
        vm.assertEq(escrow.deferredOf(requester), AMOUNT - DUE, "deferred for the requester");
        vm.expectRevert(
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token))
        );
        escrow.collect(provider);

        token.setMood(FalseToken.Mood.Honest);
        escrow.collect(provider);
        escrow.collect(requester);
        vm.assertEq(token.balanceOf(provider), DUE, "provider");
        vm.assertEq(token.balanceOf(requester), SUPPLY - DUE, "requester");
        vm.assertEq(token.balanceOf(address(escrow)), 0, "escrow");
    }

    function test_falseToken_thatRevertsAReleaseLosesNobodysMoney() public {
        FalseToken token = new FalseToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        _fundAcceptProve(escrow, JOB);
        token.setMood(FalseToken.Mood.Reverts);
        vm.prank(requester);
        vm.expectRevert(FalseToken.NotToday.selector);
        escrow.fund(OTHER_JOB, provider, AMOUNT, DEADLINE, 1);
        vm.prank(requester);
        escrow.release(requester, JOB, 1);
        vm.assertEq(escrow.deferredOf(provider), DUE, "deferred for the provider");

        token.setMood(FalseToken.Mood.Honest);
        escrow.collect(provider);
        escrow.collect(requester);
        vm.assertEq(token.balanceOf(provider), DUE, "provider");
        vm.assertEq(token.balanceOf(requester), SUPPLY - DUE, "requester");
    }

    function test_falseToken_thatRefusesARefundOrWithdrawalCanBeTriedAgain() public {
        FalseToken token = new FalseToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        ProviderRegistry registry = _registryFor(token, requester);
        _fund(escrow, JOB);
        vm.startPrank(requester);
        registry.stake(AMOUNT);
        registry.requestUnbond(AMOUNT);
        vm.warp(START_SECONDS + UNBONDING_SECONDS);
        bytes memory refused =
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token));

        token.setMood(FalseToken.Mood.SaysNo);
        vm.expectRevert(refused);
        escrow.refund(requester, JOB);
        vm.expectRevert(refused);
        registry.withdraw();

        token.setMood(FalseToken.Mood.Honest);
        escrow.refund(requester, JOB);
        registry.withdraw();
        vm.assertEq(token.balanceOf(requester), SUPPLY, "everything came back");
    }

    // A token that returns nothing, which is odd but honest.

    function test_silentToken_worksThroughAWholeJobAndStake() public {
        SilentToken token = new SilentToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(IERC20(address(token)));
        ProviderRegistry registry = _registryFor(IERC20(address(token)), requester);
        _fundAcceptProve(escrow, JOB);
        vm.startPrank(requester);
        escrow.release(requester, JOB, 1);
        vm.assertEq(token.balanceOf(provider), DUE, "provider");
        vm.assertEq(token.balanceOf(requester), SUPPLY - DUE, "requester");

        registry.stake(AMOUNT);
        registry.requestUnbond(AMOUNT);
        vm.warp(START_SECONDS + UNBONDING_SECONDS);
        registry.withdraw();
        vm.assertEq(token.balanceOf(requester), SUPPLY - DUE, "stake came back");
    }

    // A token whose balances grow or shrink by themselves.

    function test_rebasingToken_thatShrinksPaysWhatIsThereAndOwesTheRest() public {
        RebasingToken token = new RebasingToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(IERC20(address(token)));
        _fundAcceptProve(escrow, JOB);
        _fundAcceptProve(escrow, OTHER_JOB);
        token.rebase(50);
        vm.startPrank(requester);
        escrow.release(requester, JOB, 1);
        vm.assertEq(token.balanceOf(address(escrow)), 0, "the first job has what there was");

        escrow.release(requester, OTHER_JOB, 1);
        vm.assertEq(escrow.deferredOf(provider), DUE, "the second waits");
        vm.assertEq(escrow.deferredOf(requester), AMOUNT - DUE, "and so does its rest");
        token.transfer(address(escrow), DUE);
        escrow.collect(provider);
        vm.assertEq(token.balanceOf(provider), 2 * DUE, "for somebody to make it good");
    }

    // A token with a list of blocked accounts.

    function test_blockingToken_aBlockedRequesterDoesNotStopTheProvidersPay() public {
        BlockingToken token = new BlockingToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        _fundAcceptProve(escrow, JOB);
        token.setBlocked(requester, true);
        vm.warp(START_SECONDS + CHALLENGE_SECONDS);

        vm.expectEmit(address(escrow));
        emit IJobEscrow.PaymentDeferred(requester, AMOUNT - DUE);
        escrow.release(requester, JOB, 1);
        vm.assertEq(token.balanceOf(provider), DUE, "the provider is paid");

        vm.expectRevert(abi.encodeWithSelector(BlockingToken.AccountBlocked.selector, requester));
        escrow.collect(requester);
        token.setBlocked(requester, false);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Collected(requester, AMOUNT - DUE);
        escrow.collect(requester);
        vm.assertEq(token.balanceOf(requester), SUPPLY - DUE, "and later the requester");
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NothingDeferred.selector, requester));
        escrow.collect(requester);
    }

    function test_blockingToken_aBlockedProviderDoesNotHoldTheRequestersRest() public {
        BlockingToken token = new BlockingToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        _fundAcceptProve(escrow, JOB);
        token.setBlocked(provider, true);

        vm.prank(requester);
        escrow.release(requester, JOB, 1);
        vm.assertEq(token.balanceOf(requester), SUPPLY - DUE, "the rest came back");
        vm.assertEq(escrow.deferredOf(provider), DUE, "the provider's pay waits");
    }

    // A token that calls those it moves tokens for.

    function test_hookToken_aProviderCannotBePaidTwiceByReentering() public {
        HookToken token = new HookToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        ReentrantParty party = new ReentrantParty(token, address(escrow));
        // A second job of the same provider is what it could steal from, or be paid twice for.
        _fundFor(escrow, OTHER_JOB, address(party));
        _fundFor(escrow, JOB, address(party));
        party.act(abi.encodeCall(IJobEscrow.accept, (requester, JOB)));
        party.act(abi.encodeCall(IJobEscrow.submitProof, (requester, JOB, 1, ROOT, DUE)));
        vm.warp(START_SECONDS + CHALLENGE_SECONDS);

        bytes[] memory calls = new bytes[](14);
        calls[0] = abi.encodeCall(IJobEscrow.release, (requester, JOB, 1));
        calls[1] = abi.encodeCall(IJobEscrow.refund, (requester, JOB));
        calls[2] = abi.encodeCall(IJobEscrow.decline, (requester, OTHER_JOB));
        calls[3] = abi.encodeCall(IJobEscrow.collect, (address(party)));
        calls[4] = abi.encodeCall(IJobEscrow.accept, (requester, OTHER_JOB));
        calls[5] = abi.encodeCall(IJobEscrow.fund, (ROOT, provider, 1, DEADLINE, 1));
        calls[6] = abi.encodeCall(
            IJobEscrow.fundWithPermit,
            (ROOT, provider, 1, DEADLINE, 1, IJobEscrow.Permit(DEADLINE, 27, ROOT, ROOT))
        );
        calls[7] = abi.encodeCall(IJobEscrow.submitProof, (requester, OTHER_JOB, 1, ROOT, AMOUNT));
        calls[8] = abi.encodeCall(IJobEscrow.settle, (requester, OTHER_JOB, 1, ROOT, DUE, ""));
        calls[9] = abi.encodeCall(IJobEscrow.fundAccepted, (ROOT, provider, 1, DEADLINE, 1, ""));
        calls[10] = abi.encodeCall(
            IJobEscrow.fundAcceptedWithPermit,
            (ROOT, provider, 1, DEADLINE, 1, "", IJobEscrow.Permit(DEADLINE, 27, ROOT, ROOT))
        );
        calls[11] = abi.encodeCall(IJobEscrow.dispute, (JOB, 1));
        calls[12] = abi.encodeCall(IJobEscrow.rule, (requester, JOB, 1, DUE));
        calls[13] = abi.encodeCall(IJobEscrow.expireDispute, (requester, JOB, 1));
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);
        escrow.release(requester, JOB, 1);

        vm.assertEq(party.callsTried(), 14, "the hook ran");
        vm.assertEq(party.callsLockedOut(), 14, "every call back in was refused");
        vm.assertEq(token.balanceOf(address(party)), DUE, "paid once");
        vm.assertEq(token.balanceOf(address(escrow)), AMOUNT, "the other job is covered");
    }

    function test_hookToken_aRequesterCannotCountOneDepositTwice() public {
        HookToken token = new HookToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        ReentrantParty party = new ReentrantParty(token, address(escrow));
        vm.prank(requester);
        token.transfer(address(party), 2 * AMOUNT);

        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(IJobEscrow.fund, (OTHER_JOB, provider, AMOUNT, DEADLINE, 1));
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);
        party.act(abi.encodeCall(IJobEscrow.fund, (JOB, provider, AMOUNT, DEADLINE, 1)));

        vm.assertEq(party.callsTried(), 1, "the hook ran");
        vm.assertEq(party.callsLockedOut(), 1, "no deposit within a deposit");
        vm.assertEq(token.balanceOf(address(escrow)), AMOUNT, "one deposit");
        vm.assertEq(
            uint256(escrow.escrowOf(address(party), OTHER_JOB).status),
            uint256(IJobEscrow.Status.None),
            "one escrow"
        );
    }

    function test_hookToken_aRequesterThatRefusesItsRestDoesNotStopTheProvidersPay() public {
        _releaseAgainstTrick(ReentrantParty.Trick.Revert);
    }

    function test_hookToken_aRequesterThatBurnsAllGasDoesNotStopTheProvidersPay() public {
        _releaseAgainstTrick(ReentrantParty.Trick.BurnAllGas);
    }

    function test_hookToken_aProviderCannotStakeOrLeaveTwiceByReentering() public {
        HookToken token = new HookToken(requester, SUPPLY);
        ProviderRegistry registry = _registryFor(token, requester);
        vm.prank(requester);
        registry.stake(5 * AMOUNT);
        ReentrantParty party = new ReentrantParty(token, address(registry));
        vm.prank(requester);
        token.transfer(address(party), 2 * AMOUNT);
        bytes[] memory calls = new bytes[](5);
        calls[0] = abi.encodeCall(IProviderRegistry.stake, (AMOUNT));
        calls[1] = abi.encodeCall(IProviderRegistry.withdraw, ());
        calls[2] = abi.encodeCall(IProviderRegistry.requestUnbond, (1));
        calls[3] =
            abi.encodeCall(IProviderRegistry.stakeWithPermit, (AMOUNT, DEADLINE, 27, ROOT, ROOT));
        calls[4] = abi.encodeCall(IProviderRegistry.slash, (requester, AMOUNT, address(party)));
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);

        party.act(abi.encodeCall(IProviderRegistry.stake, (AMOUNT)));
        party.act(abi.encodeCall(IProviderRegistry.requestUnbond, (AMOUNT)));
        vm.warp(START_SECONDS + UNBONDING_SECONDS);
        party.act(abi.encodeCall(IProviderRegistry.withdraw, ()));

        vm.assertEq(party.callsTried(), 10, "the hook ran at the deposit and at the withdrawal");
        vm.assertEq(party.callsLockedOut(), 10, "every call back in was refused");
        vm.assertEq(token.balanceOf(address(party)), 2 * AMOUNT, "its own, once");
        vm.assertEq(token.balanceOf(address(registry)), 5 * AMOUNT, "the other's stake");
    }

    function _releaseAgainstTrick(ReentrantParty.Trick trick) private {
        HookToken token = new HookToken(requester, SUPPLY);
        JobEscrow escrow = _escrowFor(token);
        ReentrantParty party = new ReentrantParty(token, address(escrow));
        vm.prank(requester);
        token.transfer(address(party), AMOUNT);
        party.act(abi.encodeCall(IJobEscrow.fund, (JOB, provider, AMOUNT, DEADLINE, 1)));
        vm.startPrank(provider);
        escrow.accept(address(party), JOB);
        escrow.submitProof(address(party), JOB, 1, ROOT, DUE);
        party.arm(trick, new bytes[](0));
        vm.warp(START_SECONDS + CHALLENGE_SECONDS);

        escrow.release{gas: 5_000_000}(address(party), JOB, 1);

        vm.assertEq(token.balanceOf(provider), DUE, "the provider is paid");
        vm.assertEq(escrow.deferredOf(address(party)), AMOUNT - DUE, "the rest waits");
        party.arm(ReentrantParty.Trick.None, new bytes[](0));
        escrow.collect(address(party));
        vm.assertEq(token.balanceOf(address(party)), AMOUNT - DUE, "and can be collected");
    }

    function _escrowFor(IERC20 token) private returns (JobEscrow escrow) {
        escrow = new JobEscrow(token, CHALLENGE_SECONDS, 1 days, address(0), 0, address(0));
        _approve(token, requester, address(escrow));
    }

    function _registryFor(IERC20 token, address staker)
        private
        returns (ProviderRegistry registry)
    {
        registry = new ProviderRegistry(token, UNBONDING_SECONDS, referee);
        _approve(token, staker, address(registry));
    }

    /// @dev Called low-level because the silent token's approve returns nothing.
    function _approve(IERC20 token, address owner, address spender) private {
        vm.prank(owner);
        (bool success,) =
            address(token).call(abi.encodeCall(IERC20.approve, (spender, type(uint256).max)));
        vm.assertTrue(success, "approved");
    }

    function _fund(JobEscrow escrow, bytes32 jobId) private {
        _fundFor(escrow, jobId, provider);
    }

    function _fundFor(JobEscrow escrow, bytes32 jobId, address forProvider) private {
        vm.prank(requester);
        escrow.fund(jobId, forProvider, AMOUNT, DEADLINE, 1);
    }

    function _fundAcceptProve(JobEscrow escrow, bytes32 jobId) private {
        _fund(escrow, jobId);
        vm.startPrank(provider);
        escrow.accept(requester, jobId);
        escrow.submitProof(requester, jobId, 1, ROOT, DUE);
        vm.stopPrank();
    }
}
