// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobEscrow} from "../src/JobEscrow.sol";
import {IJobEscrow} from "../src/interfaces/IJobEscrow.sol";
import {EscrowHandler} from "./handlers/EscrowHandler.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";
import {MoodyToken} from "./tokens/MoodyToken.sol";

/// @notice What must hold after any sequence of calls by anybody.
/// forge-config: default.invariant.runs = 4
contract JobEscrowInvariantTest is ForgeTest {
    uint64 private constant CHALLENGE_SECONDS = 6 hours;

    string[18] private WATCHED = [
        "fund",
        "fundAccepted",
        "accept",
        "submitProof",
        "release",
        "settle",
        "dispute",
        "rule",
        "expireDispute",
        "refund",
        "decline",
        "collect",
        "defer",
        "all milestones",
        "refund of a part",
        "defer by a no",
        "fund with a fee",
        "called back"
    ];
    mapping(string call => uint256) private reached;

    EscrowHandler private handler;
    JobEscrow private escrow;
    MoodyToken private token;

    function setUp() public {
        handler = new EscrowHandler(CHALLENGE_SECONDS);
        escrow = handler.ESCROW();
        token = handler.TOKEN();
    }

    /// @notice Forge asks this for the contracts whose functions it calls at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One long walk with a fixed seed, since an invariant that nothing ever tries holds always.
    function test_handler_reachesEveryCallAndDefersPayments() public {
        for (uint256 i = 0; i < 3200; i++) {
            uint256 a = uint256(keccak256(abi.encode(i, "a")));
            uint256 b = uint256(keccak256(abi.encode(i, "b")));
            uint256 c = uint256(keccak256(abi.encode(i, "c")));
            uint256 d = uint256(keccak256(abi.encode(i, "d")));
            uint256 choice = uint256(keccak256(abi.encode(i))) % 17;
            // Job ids are used once, so the handler is new after each two hundred calls.
            if (i % 200 == 0) setUp();
            if (choice == 0) handler.fund(a, b, c, d, a ^ b);
            else if (choice == 1) handler.accept(a, b, c);
            else if (choice == 2) handler.submitProof(a, b, c, d);
            else if (choice == 3) handler.release(a, b, c);
            else if (choice == 4) handler.refund(a, b, c);
            else if (choice == 5) handler.decline(a, b, c);
            else if (choice == 6) handler.collect(a, b);
            else if (choice == 7) handler.block_(a, b);
            else if (choice == 8) handler.donate(a);
            else if (choice == 9) handler.settle(a, b, c, d);
            else if (choice == 10) handler.dispute(a, b, c);
            else if (choice == 11) handler.rule(a, b, c, d);
            else if (choice == 12) handler.expireDispute(a, b, c);
            else if (choice == 13) handler.fund(a, b, c, d, a ^ b);
            else if (choice == 14) handler.submitProof(a, b, c, d);
            else if (choice == 15) handler.mood(a, b, c);
            else handler.passTime(a);
            if (i % 200 == 199) _count();
            vm.assertEq(token.callsDone(), 0, "a call from within the token went through");
        }
        for (uint256 i = 0; i < WATCHED.length; i++) {
            vm.assertGt(reached[WATCHED[i]], 0, WATCHED[i]);
        }
    }

    function _count() private {
        for (uint256 i = 0; i < WATCHED.length; i++) {
            reached[WATCHED[i]] += handler.succeeded(WATCHED[i]);
        }
        reached["called back"] += token.callsTried();
    }

    function invariant_whatIsOwedIsHeld() public view {
        vm.assertEq(
            token.balanceOf(address(escrow)),
            handler.owed() + handler.donated(),
            "held is what is owed and what was given for nothing"
        );
    }

    function invariant_nothingComesOfACallFromWithinAPayment() public view {
        vm.assertEq(token.callsDone(), 0, "calls from within the token that went through");
    }

    function invariant_nobodyIsPaidTwiceOrTooLittle() public view {
        for (uint256 i = 0; i < handler.ACCOUNTS(); i++) {
            address account = handler.accounts(i);
            vm.assertEq(token.balanceOf(account), handler.expectedBalance(account), "balance");
            vm.assertEq(escrow.deferredOf(account), handler.expectedDeferred(account), "deferred");
        }
        address treasury = handler.TREASURY();
        vm.assertEq(escrow.deferredOf(treasury), handler.expectedDeferred(treasury), "fees");
    }

    function invariant_escrowsAreWhatTheModelSays() public view {
        for (uint256 i = 0; i < handler.ACCOUNTS(); i++) {
            for (uint256 j = 0; j < handler.JOBS(); j++) {
                address requester = handler.accounts(i);
                bytes32 jobId = handler.jobIdOf(j);
                EscrowHandler.Job memory job = handler.jobOf(requester, jobId);
                IJobEscrow.Escrow memory held = escrow.escrowOf(requester, jobId);
                vm.assertEq(uint256(held.status), uint256(job.status), "status");
                vm.assertEq(held.provider, job.provider, "provider");
                vm.assertEq(held.amount, job.amount, "amount");
                vm.assertEq(held.amountDue, job.amountDue, "amount due");
                vm.assertEq(held.deadline, job.deadline, "deadline");
                vm.assertEq(held.milestones, job.milestones, "milestones");
                vm.assertEq(held.proven, job.proven, "proven");
                vm.assertEq(held.paid, job.paid, "paid");
                vm.assertLe(held.paid, held.proven, "paid of proven");
                vm.assertLe(held.proven, held.milestones, "proven of milestones");
                vm.assertLe(held.amountDue, held.amount, "due of amount");
            }
        }
    }

    /// @dev By a stranger, without the requester's help, and whoever the token blocks: what cannot
    /// be sent now is deferred, and collected once the token lets it through.
    function invariant_aProviderWithAProofIsAlwaysPaid() public {
        EscrowHandler.Place[] memory places = handler.placesOf(IJobEscrow.MilestoneStatus.Proven);
        for (uint256 i = 0; i < places.length; i++) {
            EscrowHandler.Place memory at = places[i];
            uint256 due = at.step.amountDue;
            uint256 before = token.balanceOf(at.provider) + escrow.deferredOf(at.provider);
            uint256 state = vm.snapshotState();

            vm.warp(at.step.since + CHALLENGE_SECONDS);
            escrow.release(at.requester, at.jobId, at.number);
            token.setBlocked(at.provider, false);
            if (escrow.deferredOf(at.provider) > 0) escrow.collect(at.provider);
            vm.assertLe(
                before + due - handler.feeOf(due), token.balanceOf(at.provider), "paid what is due"
            );

            vm.assertTrue(vm.revertToState(state), "state restored");
        }
    }

    function invariant_aDisputeWithoutARulingGoesBackToTheRequester() public {
        EscrowHandler.Place[] memory places = handler.placesOf(IJobEscrow.MilestoneStatus.Disputed);
        for (uint256 i = 0; i < places.length; i++) {
            EscrowHandler.Place memory at = places[i];
            uint256 before = token.balanceOf(at.requester) + escrow.deferredOf(at.requester);
            uint256 state = vm.snapshotState();

            vm.warp(at.step.since + escrow.disputeSeconds());
            escrow.expireDispute(at.requester, at.jobId, at.number);
            vm.assertLe(
                before + at.step.amountDue,
                token.balanceOf(at.requester) + escrow.deferredOf(at.requester),
                "given back"
            );

            vm.assertTrue(vm.revertToState(state), "state restored");
        }
    }

    function invariant_aRequesterGetsBackAtTheDeadlineWhatIsNotProven() public {
        for (uint256 i = 0; i < handler.ACCOUNTS(); i++) {
            for (uint256 j = 0; j < handler.JOBS(); j++) {
                address requester = handler.accounts(i);
                bytes32 jobId = handler.jobIdOf(j);
                if (!handler.isUnproven(requester, jobId)) continue;
                EscrowHandler.Job memory job = handler.jobOf(requester, jobId);
                uint256 before = token.balanceOf(requester);
                uint256 state = vm.snapshotState();

                vm.warp(job.deadline);
                token.setBlocked(requester, false);
                escrow.refund(requester, jobId);
                vm.assertEq(
                    token.balanceOf(requester), before + job.amount - job.amountDue, "given back"
                );

                vm.assertTrue(vm.revertToState(state), "state restored");
            }
        }
    }
}
