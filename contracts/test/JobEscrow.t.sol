// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DevToken} from "../src/DevToken.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {IJobEscrow} from "../src/interfaces/IJobEscrow.sol";
import {ExactTransfer} from "../src/libraries/ExactTransfer.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";

contract JobEscrowTest is PermitSigner {
    uint64 private constant CHALLENGE_SECONDS = 1 hours;
    uint64 private constant DEADLINE = uint64(START_SECONDS + 1 days);
    uint128 private constant AMOUNT = 5e6;
    uint128 private constant DUE = 3e6;
    uint256 private constant SUPPLY = 1000e6;
    bytes32 private constant JOB = keccak256("job");
    bytes32 private constant ROOT = keccak256("root");

    DevToken private token;
    JobEscrow private escrow;
    Account private requester;
    address private provider;
    address private stranger;

    function setUp() public {
        vm.warp(START_SECONDS);
        requester = newAccount("requester");
        provider = newAccount("provider").addr;
        stranger = newAccount("stranger").addr;
        token = new DevToken(requester.addr, SUPPLY);
        escrow = new JobEscrow(token, CHALLENGE_SECONDS, 1 days, address(0), 0, address(0));
        vm.prank(requester.addr);
        token.approve(address(escrow), type(uint256).max);
    }

    // Deployment.

    function test_constructor_refusesATokenWithoutCode() public {
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.TokenHasNoCode.selector, stranger));
        new JobEscrow(IERC20(stranger), CHALLENGE_SECONDS, 1 days, address(0), 0, address(0));
    }

    function test_constructor_refusesAChallengeTimeAboveThirtyDays() public {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.ChallengeTooLong.selector, 30 days + 1, 30 days)
        );
        new JobEscrow(token, 30 days + 1, 1 days, address(0), 0, address(0));
        new JobEscrow(token, 30 days, 1 days, address(0), 0, address(0));
    }

    function test_domain_isTheMarketsOnThisChainAndContract() public {
        (, string memory name, string memory version, uint256 chainId, address verifying,,) =
            escrow.eip712Domain();
        vm.assertEq(name, "RigMesh", "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(chainId, block.chainid, "chain id");
        vm.assertEq(verifying, address(escrow), "verifying contract");
        bytes32 here = escrow.domainSeparator();
        vm.assertEq(here, _domainSeparator(block.chainid, address(escrow)), "separator");

        // After a fork of the chain the signatures of the one side are worthless on the other.
        vm.chainId(block.chainid + 1);
        vm.assertEq(
            escrow.domainSeparator(), _domainSeparator(block.chainid, address(escrow)), "forked"
        );
        vm.assertTrue(escrow.domainSeparator() != here, "the fork has its own domain");
    }

    // Funding.

    function test_fund_locksTheMoneyForTheProvider() public {
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Funded(requester.addr, provider, JOB, AMOUNT, DEADLINE, 1);
        _fund();

        IJobEscrow.Escrow memory held = escrow.escrowOf(requester.addr, JOB);
        vm.assertEq(held.provider, provider, "provider");
        _assertStatus(IJobEscrow.Status.Funded);
        vm.assertEq(held.deadline, DEADLINE, "deadline");
        vm.assertEq(held.milestones, 1, "milestones");
        vm.assertEq(held.proven, 0, "proven");
        vm.assertEq(held.paid, 0, "paid");
        vm.assertEq(held.amount, AMOUNT, "amount");
        vm.assertEq(held.amountDue, 0, "amount due");
        _assertBalances(SUPPLY - AMOUNT, 0, AMOUNT);
    }

    function test_fund_refusesAnotherForTheSameJobAtEveryStage() public {
        _fund();
        _expectJobIdUsed();
        _accept();
        _expectJobIdUsed();
        _prove();
        _expectJobIdUsed();
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);
        _expectJobIdUsed();
    }

    function test_fund_refusesAJobIdThatWasRefunded() public {
        _fund();
        vm.prank(provider);
        escrow.decline(requester.addr, JOB);
        _expectJobIdUsed();
    }

    function test_fund_cannotBeFrontRunByAnotherWithTheSameJobId() public {
        vm.prank(requester.addr);
        token.transfer(stranger, AMOUNT);
        vm.startPrank(stranger);
        token.approve(address(escrow), AMOUNT);
        escrow.fund(JOB, stranger, AMOUNT, DEADLINE, 1);
        vm.stopPrank();

        _fund();
        vm.assertEq(escrow.escrowOf(requester.addr, JOB).provider, provider, "own provider");
        vm.assertEq(escrow.escrowOf(stranger, JOB).provider, stranger, "the other's provider");
    }

    function test_fund_refusesNoProvider() public {
        vm.prank(requester.addr);
        vm.expectRevert(IJobEscrow.ZeroProvider.selector);
        escrow.fund(JOB, address(0), AMOUNT, DEADLINE, 1);
    }

    function test_fund_refusesZero() public {
        vm.prank(requester.addr);
        vm.expectRevert(IJobEscrow.ZeroAmount.selector);
        escrow.fund(JOB, provider, 0, DEADLINE, 1);
    }

    function test_fund_refusesADeadlineThatIsNotInTheFuture() public {
        vm.startPrank(requester.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.DeadlinePassed.selector, START_SECONDS, START_SECONDS)
        );
        escrow.fund(JOB, provider, AMOUNT, uint64(START_SECONDS), 1);
        escrow.fund(JOB, provider, AMOUNT, uint64(START_SECONDS + 1), 1);
    }

    function test_fund_refusesADeadlineInMilliseconds() public {
        uint64 milliseconds = DEADLINE * 1000;
        vm.prank(requester.addr);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.DeadlineTooFar.selector, milliseconds));
        escrow.fund(JOB, provider, AMOUNT, milliseconds, 1);
    }

    function test_fundWithPermit_needsNoAllowance() public {
        vm.prank(requester.addr);
        token.approve(address(escrow), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(requester, address(token), address(escrow), AMOUNT, START_SECONDS);

        vm.prank(requester.addr);
        escrow.fundWithPermit(
            JOB, provider, AMOUNT, DEADLINE, 1, IJobEscrow.Permit(START_SECONDS, v, r, s)
        );

        _assertStatus(IJobEscrow.Status.Funded);
        _assertBalances(SUPPLY - AMOUNT, 0, AMOUNT);
    }

    function test_fundWithPermit_worksWhenSomebodyHandedThePermitInFirst() public {
        vm.prank(requester.addr);
        token.approve(address(escrow), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(requester, address(token), address(escrow), AMOUNT, START_SECONDS);
        vm.prank(stranger);
        token.permit(requester.addr, address(escrow), AMOUNT, START_SECONDS, v, r, s);

        vm.prank(requester.addr);
        escrow.fundWithPermit(
            JOB, provider, AMOUNT, DEADLINE, 1, IJobEscrow.Permit(START_SECONDS, v, r, s)
        );

        _assertStatus(IJobEscrow.Status.Funded);
    }

    function test_fundWithPermit_cannotSpendAnothersPermit() public {
        vm.prank(requester.addr);
        token.approve(address(escrow), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(requester, address(token), address(escrow), AMOUNT, START_SECONDS);

        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.PermitRefused.selector, 0, AMOUNT));
        escrow.fundWithPermit(
            JOB, stranger, AMOUNT, DEADLINE, 1, IJobEscrow.Permit(START_SECONDS, v, r, s)
        );
    }

    // Accepting.

    function test_accept_marksTheJobTaken() public {
        _fund();
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Accepted(requester.addr, provider, JOB);
        _accept();
        _assertStatus(IJobEscrow.Status.Accepted);
    }

    function testFuzz_accept_refusesEverybodyButTheProvider(address caller) public {
        vm.assume(caller != provider);
        _fund();
        vm.prank(caller);
        _expectNotProvider(caller, provider);
        escrow.accept(requester.addr, JOB);
    }

    function test_accept_refusesAJobThatIsNotThere() public {
        vm.prank(provider);
        _expectNotProvider(provider, address(0));
        escrow.accept(requester.addr, JOB);
    }

    function test_accept_refusesASecondTime() public {
        _fund();
        _accept();
        vm.prank(provider);
        _expectWrongStatus(IJobEscrow.Status.Accepted);
        escrow.accept(requester.addr, JOB);
    }

    function test_accept_worksInTheLastSecondAndNotAtTheDeadline() public {
        _fund();
        vm.warp(DEADLINE);
        vm.prank(provider);
        _expectDeadlinePassed();
        escrow.accept(requester.addr, JOB);

        vm.warp(DEADLINE - 1);
        _accept();
    }

    // Proving.

    function test_submitProof_notesRootAmountAndTime() public {
        _fund();
        _accept();
        vm.warp(START_SECONDS + 100);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.ProofSubmitted(requester.addr, provider, JOB, 1, ROOT, DUE);
        _prove();

        IJobEscrow.Milestone memory held = escrow.milestoneOf(requester.addr, JOB, 1);
        _assertStatus(IJobEscrow.Status.Proven);
        vm.assertEq(escrow.escrowOf(requester.addr, JOB).amountDue, DUE, "amount due in sum");
        vm.assertEq(held.since, START_SECONDS + 100, "proven at");
        vm.assertEq(held.amountDue, DUE, "amount due");
        vm.assertEq(held.proofRoot, ROOT, "proof root");
    }

    function testFuzz_submitProof_refusesEverybodyButTheProvider(address caller) public {
        vm.assume(caller != provider);
        _fund();
        _accept();
        vm.prank(caller);
        _expectNotProvider(caller, provider);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, DUE);
    }

    function test_submitProof_refusesAJobThatWasNotAccepted() public {
        _fund();
        vm.prank(provider);
        _expectWrongStatus(IJobEscrow.Status.Funded);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, DUE);
    }

    function test_submitProof_refusesASecondProof() public {
        _fund();
        _accept();
        _prove();
        vm.prank(provider);
        _expectWrongStatus(IJobEscrow.Status.Proven);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, AMOUNT);
    }

    function test_submitProof_refusesMoreThanWasLocked() public {
        _fund();
        _accept();
        vm.prank(provider);
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.DueExceedsAmount.selector, AMOUNT + 1, AMOUNT)
        );
        escrow.submitProof(requester.addr, JOB, 1, ROOT, AMOUNT + 1);
    }

    function test_submitProof_refusesNoRoot() public {
        _fund();
        _accept();
        vm.prank(provider);
        vm.expectRevert(IJobEscrow.ZeroProofRoot.selector);
        escrow.submitProof(requester.addr, JOB, 1, 0, DUE);
    }

    function test_submitProof_worksInTheLastSecondAndNotAtTheDeadline() public {
        _fund();
        _accept();
        vm.warp(DEADLINE);
        vm.prank(provider);
        _expectDeadlinePassed();
        escrow.submitProof(requester.addr, JOB, 1, ROOT, DUE);

        vm.warp(DEADLINE - 1);
        _prove();
    }

    // Releasing.

    function test_release_byTheRequesterPaysAtOnce() public {
        _fund();
        _accept();
        _prove();

        vm.expectEmit(address(escrow));
        emit IJobEscrow.Released(requester.addr, provider, JOB, 1, DUE, AMOUNT - DUE);
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);

        _assertStatus(IJobEscrow.Status.Released);
        _assertBalances(SUPPLY - DUE, DUE, 0);
    }

    function test_release_byAnybodyPaysOnceTheChallengeTimeEndedAndNotBefore() public {
        _fund();
        _accept();
        vm.warp(DEADLINE - 1);
        _prove();
        uint256 releasableAt = DEADLINE - 1 + CHALLENGE_SECONDS;

        vm.warp(releasableAt - 1);
        vm.prank(provider);
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.ChallengeTimeRunning.selector, releasableAt)
        );
        escrow.release(requester.addr, JOB, 1);

        vm.warp(releasableAt);
        vm.prank(stranger);
        escrow.release(requester.addr, JOB, 1);
        _assertBalances(SUPPLY - DUE, DUE, 0);
    }

    function test_release_paysOnce() public {
        _fund();
        _accept();
        _prove();
        vm.startPrank(requester.addr);
        escrow.release(requester.addr, JOB, 1);
        _expectWrongMilestone(IJobEscrow.MilestoneStatus.Paid);
        escrow.release(requester.addr, JOB, 1);
    }

    function test_release_ofWorkThatCostNothingReturnsEverything() public {
        _fund();
        _accept();
        vm.prank(provider);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, 0);
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);
        _assertBalances(SUPPLY, 0, 0);
    }

    function test_release_sendsNothingToWhomNothingIsDue() public {
        _fund();
        _accept();
        vm.prank(provider);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, AMOUNT);
        vm.recordLogs();
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);

        // Some tokens refuse a transfer of zero. There is one transfer, beside the release itself.
        vm.assertEq(vm.getRecordedLogs().length, 2, "events");
        _assertBalances(SUPPLY - AMOUNT, AMOUNT, 0);
    }

    function test_release_refusesWithoutAProof() public {
        vm.startPrank(requester.addr);
        _expectWrongMilestone(IJobEscrow.MilestoneStatus.None);
        escrow.release(requester.addr, JOB, 1);
        escrow.fund(JOB, provider, AMOUNT, DEADLINE, 1);
        _expectWrongMilestone(IJobEscrow.MilestoneStatus.None);
        escrow.release(requester.addr, JOB, 1);
        vm.stopPrank();
        _accept();
        vm.prank(requester.addr);
        _expectWrongMilestone(IJobEscrow.MilestoneStatus.None);
        escrow.release(requester.addr, JOB, 1);
    }

    // Refunding and declining.

    function test_refund_givesEverythingBackAtTheDeadlineAndNotBefore() public {
        _fund();
        vm.warp(DEADLINE - 1);
        vm.prank(requester.addr);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.DeadlineNotReached.selector, DEADLINE));
        escrow.refund(requester.addr, JOB);

        vm.warp(DEADLINE);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Refunded(requester.addr, provider, JOB, AMOUNT);
        vm.prank(requester.addr);
        escrow.refund(requester.addr, JOB);
        _assertStatus(IJobEscrow.Status.Refunded);
        _assertBalances(SUPPLY, 0, 0);
    }

    function test_refund_worksForAnAcceptedJobWithoutAProofAndByAnybody() public {
        _fund();
        _accept();
        vm.warp(DEADLINE);
        vm.prank(stranger);
        escrow.refund(requester.addr, JOB);
        _assertBalances(SUPPLY, 0, 0);
    }

    function test_refund_refusesAProvenJobHoweverLate() public {
        _fund();
        _accept();
        _prove();
        vm.warp(DEADLINE + 365 days);
        vm.prank(requester.addr);
        _expectWrongStatus(IJobEscrow.Status.Proven);
        escrow.refund(requester.addr, JOB);
    }

    function test_refund_paysOnce() public {
        _fund();
        vm.warp(DEADLINE);
        escrow.refund(requester.addr, JOB);
        _expectWrongStatus(IJobEscrow.Status.Refunded);
        escrow.refund(requester.addr, JOB);
    }

    function test_refund_refusesAJobThatIsNotThere() public {
        _expectWrongStatus(IJobEscrow.Status.None);
        escrow.refund(requester.addr, JOB);
    }

    function test_decline_givesEverythingBackAtOnce() public {
        _fund();
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Refunded(requester.addr, provider, JOB, AMOUNT);
        vm.prank(provider);
        escrow.decline(requester.addr, JOB);
        _assertStatus(IJobEscrow.Status.Refunded);
        _assertBalances(SUPPLY, 0, 0);
    }

    function test_decline_worksAfterAcceptingAndAfterTheDeadline() public {
        _fund();
        _accept();
        vm.warp(DEADLINE + 1);
        vm.prank(provider);
        escrow.decline(requester.addr, JOB);
        _assertBalances(SUPPLY, 0, 0);
    }

    function test_decline_refusesAProvenJob() public {
        _fund();
        _accept();
        _prove();
        vm.prank(provider);
        _expectWrongStatus(IJobEscrow.Status.Proven);
        escrow.decline(requester.addr, JOB);
    }

    function testFuzz_decline_refusesEverybodyButTheProvider(address caller) public {
        vm.assume(caller != provider);
        _fund();
        vm.prank(caller);
        _expectNotProvider(caller, provider);
        escrow.decline(requester.addr, JOB);
    }

    function test_collect_refusesWhereNothingIsDeferred() public {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NothingDeferred.selector, provider));
        escrow.collect(provider);
    }

    function test_ether_isRefused() public {
        (bool taken,) = address(escrow).call{value: 1}("");
        vm.assertTrue(!taken, "an escrow of tokens has no way to give ether back");
    }

    // Fuzzing.

    function testFuzz_release_splitsTheAmountExactly(uint128 amount, uint128 amountDue) public {
        amount = uint128(bound(amount, 1, SUPPLY));
        amountDue = uint128(bound(amountDue, 0, amount));
        vm.prank(requester.addr);
        escrow.fund(JOB, provider, amount, DEADLINE, 1);
        _accept();
        vm.prank(provider);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, amountDue);
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);
        _assertBalances(SUPPLY - amountDue, amountDue, 0);
    }

    function testFuzz_proofAndRefund_areNeverBothPossible(uint64 deadline, uint64 timestamp)
        public
    {
        deadline = uint64(bound(deadline, START_SECONDS + 1, type(uint40).max));
        timestamp = uint64(bound(timestamp, START_SECONDS, type(uint40).max));
        vm.prank(requester.addr);
        escrow.fund(JOB, provider, AMOUNT, deadline, 1);
        _accept();
        vm.warp(timestamp);

        uint256 state = vm.snapshotState();
        vm.prank(provider);
        (bool proven,) = address(escrow)
            .call(abi.encodeCall(IJobEscrow.submitProof, (requester.addr, JOB, 1, ROOT, DUE)));
        vm.assertTrue(vm.revertToState(state), "state restored");
        vm.prank(requester.addr);
        (bool refunded,) =
            address(escrow).call(abi.encodeCall(IJobEscrow.refund, (requester.addr, JOB)));

        vm.assertTrue(proven != refunded, "at every moment exactly one of the two");
        vm.assertEq(refunded, timestamp >= deadline, "refund from the deadline on");
    }

    function _fund() private {
        vm.prank(requester.addr);
        escrow.fund(JOB, provider, AMOUNT, DEADLINE, 1);
    }

    function _accept() private {
        vm.prank(provider);
        escrow.accept(requester.addr, JOB);
    }

    function _prove() private {
        vm.prank(provider);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, DUE);
    }

    function _expectJobIdUsed() private {
        vm.prank(requester.addr);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.JobIdUsed.selector, requester.addr, JOB));
        escrow.fund(JOB, provider, AMOUNT, DEADLINE, 1);
    }

    function _expectWrongStatus(IJobEscrow.Status status) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongStatus.selector, status));
    }

    function _expectWrongMilestone(IJobEscrow.MilestoneStatus status) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongMilestoneStatus.selector, 1, status));
    }

    function _expectNotProvider(address caller, address expected) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotProvider.selector, caller, expected));
    }

    function _expectDeadlinePassed() private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.DeadlinePassed.selector, DEADLINE, DEADLINE)
        );
    }

    function _assertStatus(IJobEscrow.Status status) private view {
        vm.assertEq(uint256(escrow.escrowOf(requester.addr, JOB).status), uint256(status), "status");
    }

    function _assertBalances(uint256 ofRequester, uint256 ofProvider, uint256 ofEscrow)
        private
        view
    {
        vm.assertEq(token.balanceOf(requester.addr), ofRequester, "the requester's balance");
        vm.assertEq(token.balanceOf(provider), ofProvider, "the provider's balance");
        vm.assertEq(token.balanceOf(address(escrow)), ofEscrow, "the escrow's balance");
    }

    function _domainSeparator(uint256 chainId, address verifying) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("RigMesh"),
                keccak256("1"),
                chainId,
                verifying
            )
        );
    }
}
