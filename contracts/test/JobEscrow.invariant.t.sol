// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobEscrow} from "../src/JobEscrow.sol";
import {IJobEscrow} from "../src/interfaces/IJobEscrow.sol";
import {EscrowHandler} from "./handlers/EscrowHandler.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";
import {BlockingToken} from "./tokens/BlockingToken.sol";

/// @notice What must hold after any sequence of calls by anybody.
contract JobEscrowInvariantTest is ForgeTest {
    uint64 private constant CHALLENGE_SECONDS = 6 hours;

    string[8] private WATCHED =
        ["fund", "accept", "submitProof", "release", "refund", "decline", "collect", "defer"];
    mapping(string call => uint256) private reached;

    EscrowHandler private handler;
    JobEscrow private escrow;
    BlockingToken private token;

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
            uint256 choice = uint256(keccak256(abi.encode(i))) % 10;
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
            else handler.passTime(a);
            if (i % 200 == 199) _count();
        }
        for (uint256 i = 0; i < WATCHED.length; i++) {
            vm.assertGt(reached[WATCHED[i]], 0, WATCHED[i]);
        }
    }

    function _count() private {
        for (uint256 i = 0; i < WATCHED.length; i++) {
            reached[WATCHED[i]] += handler.succeeded(WATCHED[i]);
        }
    }

    function invariant_whatIsOwedIsHeld() public view {
        vm.assertEq(
            token.balanceOf(address(escrow)),
            handler.owed() + handler.donated(),
            "held is what is owed and what was given for nothing"
        );
    }

    function invariant_nobodyIsPaidTwiceOrTooLittle() public view {
        for (uint256 i = 0; i < handler.ACCOUNTS(); i++) {
            address account = handler.accounts(i);
            vm.assertEq(token.balanceOf(account), handler.expectedBalance(account), "balance");
            vm.assertEq(escrow.deferredOf(account), handler.expectedDeferred(account), "deferred");
        }
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
                vm.assertEq(held.provenAt, job.provenAt, "proven at");
                vm.assertLe(held.amountDue, held.amount, "due of amount");
            }
        }
    }

    /// @dev By a stranger, without the requester's help, and whoever the token blocks: what cannot
    /// be sent now is deferred, and collected once the token lets it through.
    function invariant_aProviderWithAProofIsAlwaysPaid() public {
        for (uint256 i = 0; i < handler.ACCOUNTS(); i++) {
            for (uint256 j = 0; j < handler.JOBS(); j++) {
                address requester = handler.accounts(i);
                bytes32 jobId = handler.jobIdOf(j);
                if (!handler.isProven(requester, jobId)) continue;
                EscrowHandler.Job memory job = handler.jobOf(requester, jobId);
                address provider = job.provider;
                uint256 before = token.balanceOf(provider) + escrow.deferredOf(provider);
                uint256 state = vm.snapshotState();

                vm.warp(job.provenAt + CHALLENGE_SECONDS);
                escrow.release(requester, jobId);
                token.setBlocked(provider, false);
                if (escrow.deferredOf(provider) > 0) escrow.collect(provider);
                uint256 rest = provider == requester ? job.amount - job.amountDue : 0;
                vm.assertEq(token.balanceOf(provider), before + job.amountDue + rest, "paid");

                vm.assertTrue(vm.revertToState(state), "state restored");
            }
        }
    }

    function invariant_aRequesterWithoutAProofGetsEverythingBackAtTheDeadline() public {
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
                vm.assertEq(token.balanceOf(requester), before + job.amount, "given back");

                vm.assertTrue(vm.revertToState(state), "state restored");
            }
        }
    }
}
