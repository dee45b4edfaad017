// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {IJobEscrow} from "../src/interfaces/IJobEscrow.sol";
import {Fee} from "../src/libraries/Fee.sol";
import {EscrowSigner} from "./kit/EscrowSigner.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";
import {RecordingReferee} from "./kit/RecordingReferee.sol";
import {Wallet} from "./kit/Wallet.sol";

/// @notice Jobs in parts, jobs by signature, disputes, and the fee.
contract JobEscrowMilestonesTest is PermitSigner, EscrowSigner {
    uint64 private constant CHALLENGE_SECONDS = 1 hours;
    uint64 private constant DISPUTE_SECONDS = 2 days;
    uint64 private constant DEADLINE = uint64(START_SECONDS + 1 days);
    uint128 private constant AMOUNT = 9e6;
    uint128 private constant THIRD = 3e6;
    uint256 private constant SUPPLY = 1000e6;
    bytes32 private constant JOB = keccak256("job");
    bytes32 private constant ROOT = keccak256("root");

    DevToken private token;
    RecordingReferee private referee;
    JobEscrow private escrow;
    Account private requester;
    Account private provider;
    address private stranger;
    address private treasury;

    function setUp() public {
        vm.warp(START_SECONDS);
        requester = newAccount("requester");
        provider = newAccount("provider");
        stranger = newAccount("stranger").addr;
        treasury = newAccount("treasury").addr;
        token = new DevToken(requester.addr, SUPPLY);
        referee = new RecordingReferee();
        _deploy(address(referee), 0);
    }

    // Deployment.

    function test_constructor_refusesARefereeWithoutTimeOrWithTooMuch() public {
        _expectDisputeTimeOutOfRange(0);
        new JobEscrow(token, 1, 0, address(referee), 0, address(0));
        _expectDisputeTimeOutOfRange(90 days + 1);
        new JobEscrow(token, 1, 90 days + 1, address(referee), 0, address(0));
        new JobEscrow(token, 1, 90 days, address(referee), 0, address(0));
        new JobEscrow(token, 1, 0, address(0), 0, address(0));
    }

    function test_constructor_refusesAFeeAboveFiveInAHundredOrToNobody() public {
        vm.expectRevert(abi.encodeWithSelector(Fee.FeeRefused.selector, 501, 500, treasury));
        new JobEscrow(token, 1, 1, address(0), 501, treasury);
        vm.expectRevert(abi.encodeWithSelector(Fee.FeeRefused.selector, 1, 500, address(0)));
        new JobEscrow(token, 1, 1, address(0), 1, address(0));
    }

    // Milestones.

    function test_fund_refusesNoneAndMoreThanSixtyFourMilestones() public {
        vm.startPrank(requester.addr);
        _expectMilestonesOutOfRange(0);
        escrow.fund(JOB, provider.addr, AMOUNT, DEADLINE, 0);
        _expectMilestonesOutOfRange(65);
        escrow.fund(JOB, provider.addr, AMOUNT, DEADLINE, 65);
        escrow.fund(JOB, provider.addr, AMOUNT, DEADLINE, 64);
        vm.assertEq(escrow.escrowOf(requester.addr, JOB).milestones, 64, "milestones");
    }

    function test_milestones_areProvenInOrderAndPaidInAny() public {
        _accepted(3);
        _expectWrongMilestone(2, 1);
        _prove(2, THIRD);
        _prove(1, THIRD);
        _expectWrongMilestone(1, 2);
        _prove(1, THIRD);
        _prove(2, 1e6);
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 2);
        _assertStatus(IJobEscrow.Status.Accepted, 2, 1);
        vm.assertEq(token.balanceOf(provider.addr), 1e6, "the second alone");
        _prove(3, 5e6);
        _assertStatus(IJobEscrow.Status.Proven, 3, 1);
        vm.startPrank(requester.addr);
        escrow.release(requester.addr, JOB, 3);
        vm.assertEq(token.balanceOf(provider.addr), 6e6, "and the third");
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Released(requester.addr, provider.addr, JOB, 1, THIRD, 0);
        escrow.release(requester.addr, JOB, 1);
        _assertStatus(IJobEscrow.Status.Released, 3, 3);
        _assertBalances(SUPPLY - AMOUNT, AMOUNT, 0);
    }

    function test_milestones_theRestGoesBackWithTheLastPayment() public {
        _accepted(2);
        _prove(1, 1e6);
        _prove(2, 2e6);
        vm.startPrank(requester.addr);
        escrow.release(requester.addr, JOB, 2);
        vm.assertEq(token.balanceOf(requester.addr), SUPPLY - AMOUNT, "nothing back yet");
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Released(requester.addr, provider.addr, JOB, 1, 1e6, 6e6);
        escrow.release(requester.addr, JOB, 1);
        _assertBalances(SUPPLY - 3e6, 3e6, 0);
    }

    function test_milestones_neverAskForMoreThanTheirShareInSum() public {
        _accepted(3);
        _expectDueExceeds(THIRD + 1, THIRD);
        _prove(1, THIRD + 1);
        _prove(1, 1e6);
        // What the first left may be asked for with the second.
        _expectDueExceeds(2 * THIRD + 1, 2 * THIRD);
        _prove(2, 5e6 + 1);
        _prove(2, 5e6);
        _prove(3, THIRD);
        vm.assertEq(escrow.escrowOf(requester.addr, JOB).amountDue, AMOUNT, "all of it");
    }

    function test_milestones_eachHasItsOwnChallengeTime() public {
        _accepted(2);
        _prove(1, THIRD);
        vm.warp(START_SECONDS + CHALLENGE_SECONDS - 1);
        _prove(2, THIRD);
        vm.warp(START_SECONDS + CHALLENGE_SECONDS);
        vm.startPrank(stranger);
        escrow.release(requester.addr, JOB, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobEscrow.ChallengeTimeRunning.selector,
                START_SECONDS + 2 * uint256(CHALLENGE_SECONDS) - 1
            )
        );
        escrow.release(requester.addr, JOB, 2);
    }

    function test_refund_givesBackWhatIsNotProvenAndLeavesTheRestToBePaid() public {
        _accepted(3);
        _prove(1, THIRD);
        vm.warp(DEADLINE);
        _expectDeadlinePassed();
        _prove(2, THIRD);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Refunded(requester.addr, provider.addr, JOB, AMOUNT - THIRD);
        vm.prank(stranger);
        escrow.refund(requester.addr, JOB);
        _assertBalances(SUPPLY - THIRD, 0, THIRD);
        vm.prank(stranger);
        escrow.release(requester.addr, JOB, 1);
        _assertStatus(IJobEscrow.Status.Refunded, 1, 1);
        _assertBalances(SUPPLY - THIRD, THIRD, 0);
    }

    function test_decline_givesBackWhatIsNotProvenOnce() public {
        _accepted(2);
        _expectDueExceeds(AMOUNT, AMOUNT / 2);
        _prove(1, AMOUNT);
        _prove(1, AMOUNT / 2);
        vm.prank(provider.addr);
        escrow.decline(requester.addr, JOB);
        _assertBalances(SUPPLY - AMOUNT / 2, 0, AMOUNT / 2);
        vm.prank(provider.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.WrongStatus.selector, IJobEscrow.Status.Refunded)
        );
        escrow.decline(requester.addr, JOB);
    }

    // By signature.

    function test_fundAccepted_isAcceptedAtOnce() public {
        bytes memory acceptance = _acceptance(provider.key, AMOUNT, 3);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Funded(requester.addr, provider.addr, JOB, AMOUNT, DEADLINE, 3);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Accepted(requester.addr, provider.addr, JOB);
        vm.prank(requester.addr);
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, acceptance);
        _assertStatus(IJobEscrow.Status.Accepted, 0, 0);
        _prove(1, THIRD);
    }

    function test_fundAccepted_refusesOtherTermsAndOtherSigners() public {
        bytes memory acceptance = _acceptance(provider.key, AMOUNT, 3);
        vm.startPrank(requester.addr);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT + 1, DEADLINE, 3, acceptance);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE + 1, 3, acceptance);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 2, acceptance);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted("other", provider.addr, AMOUNT, DEADLINE, 3, acceptance);
        bytes memory another = _acceptance(requester.key, AMOUNT, 3);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, another);
        token.transfer(stranger, AMOUNT);
        vm.startPrank(stranger);
        token.approve(address(escrow), AMOUNT);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, acceptance);
    }

    function test_fundAccepted_isWorthlessOnAnotherChainAndContract() public {
        bytes memory acceptance = _acceptance(provider.key, AMOUNT, 3);
        JobEscrow elsewhere = new JobEscrow(token, 1, 1, address(0), 0, address(0));
        vm.startPrank(requester.addr);
        _expectAcceptanceNotSigned();
        elsewhere.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, acceptance);
        vm.chainId(block.chainid + 1);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, acceptance);
    }

    function test_fundAccepted_refusesTheOtherFormAndASecondTime() public {
        bytes memory acceptance = _acceptance(provider.key, AMOUNT, 3);
        bytes memory other = otherForm(acceptance);
        vm.startPrank(requester.addr);
        _expectAcceptanceNotSigned();
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, other);
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, acceptance);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.JobIdUsed.selector, requester.addr, JOB));
        escrow.fundAccepted(JOB, provider.addr, AMOUNT, DEADLINE, 3, acceptance);
    }

    function test_fundAcceptedWithPermit_needsNoAllowanceAndTakesAContractsWord() public {
        Wallet wallet = new Wallet(provider.addr);
        vm.prank(requester.addr);
        token.approve(address(escrow), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(requester, address(token), address(escrow), AMOUNT, START_SECONDS);
        bytes memory acceptance = signAcceptance(
            provider.key, address(escrow), JOB, requester.addr, address(wallet), AMOUNT, DEADLINE, 1
        );
        vm.prank(requester.addr);
        escrow.fundAcceptedWithPermit(
            JOB,
            address(wallet),
            AMOUNT,
            DEADLINE,
            1,
            acceptance,
            IJobEscrow.Permit(START_SECONDS, v, r, s)
        );
        _assertStatus(IJobEscrow.Status.Accepted, 0, 0);
        vm.assertEq(token.balanceOf(address(escrow)), AMOUNT, "held");
    }

    function test_settle_provesAndPaysInOneStep() public {
        _accepted(2);
        bytes memory approval = _approval(requester.key, 1, 4e6);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.ProofSubmitted(requester.addr, provider.addr, JOB, 1, ROOT, 4e6);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Released(requester.addr, provider.addr, JOB, 1, 4e6, 0);
        vm.prank(provider.addr);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        _assertStatus(IJobEscrow.Status.Accepted, 1, 1);
        vm.assertEq(token.balanceOf(provider.addr), 4e6, "paid");

        vm.prank(provider.addr);
        _expectWrongMilestone(1, 2);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        vm.prank(requester.addr);
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.None);
        escrow.release(requester.addr, JOB, 1);
    }

    function test_settle_ofWhatIsProvenIsAnybodysAndEndsTheChallenge() public {
        _accepted(1);
        _prove(1, 4e6);
        bytes memory less = _approval(requester.key, 1, 3e6);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ProofDiffers.selector, ROOT, 4e6));
        escrow.settle(requester.addr, JOB, 1, ROOT, 3e6, less);
        bytes memory approval = _approval(requester.key, 1, 4e6);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.ProofDiffers.selector, ROOT, 4e6));
        escrow.settle(requester.addr, JOB, 1, JOB, 4e6, approval);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        _assertBalances(SUPPLY - 4e6, 4e6, 0);
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.Paid);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
    }

    function test_settle_inPlaceOfAProofIsTheProvidersAlone() public {
        _accepted(1);
        bytes memory nothing = _approval(requester.key, 1, 0);
        vm.prank(requester.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.NotProvider.selector, requester.addr, provider.addr)
        );
        escrow.settle(requester.addr, JOB, 1, ROOT, 0, nothing);
    }

    function test_settle_refusesAnotherSignerFormAmountRootJobContractAndChain() public {
        _accepted(2);
        bytes memory approval = _approval(requester.key, 1, 4e6);
        bytes memory forged = _approval(provider.key, 1, 4e6);
        vm.startPrank(provider.addr);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, forged);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6 + 1, approval);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, JOB, 4e6, approval);
        bytes memory other = otherForm(approval);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, other);
        bytes memory elsewhere =
            signApproval(requester.key, address(token), JOB, provider.addr, 1, ROOT, 4e6);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, elsewhere);
        bytes memory ofAnotherJob =
            signApproval(requester.key, address(escrow), "other", provider.addr, 1, ROOT, 4e6);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, ofAnotherJob);
        vm.chainId(block.chainid + 1);
        _expectApprovalNotSigned();
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        vm.assertEq(token.balanceOf(provider.addr), 0, "nothing was paid");
    }

    // Disputes.

    function test_dispute_tellsTheRefereeAndStopsTheClock() public {
        _accepted(2);
        _prove(1, THIRD);
        vm.warp(START_SECONDS + CHALLENGE_SECONDS - 1);
        uint64 rulingBefore = uint64(block.timestamp) + DISPUTE_SECONDS;
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Disputed(requester.addr, provider.addr, JOB, 1, rulingBefore);
        vm.prank(requester.addr);
        escrow.dispute(JOB, 1);

        RecordingReferee.Dispute memory told = referee.last();
        vm.assertEq(told.escrow, address(escrow), "escrow");
        vm.assertEq(told.requester, requester.addr, "requester");
        vm.assertEq(told.provider, provider.addr, "provider");
        vm.assertEq(told.jobId, JOB, "job");
        vm.assertEq(told.milestone, 1, "milestone");
        vm.assertEq(told.proofRoot, ROOT, "root");
        vm.assertEq(told.amountDue, THIRD, "due");
        vm.assertEq(told.rulingBefore, rulingBefore, "time to rule");

        vm.warp(START_SECONDS + CHALLENGE_SECONDS);
        vm.prank(requester.addr);
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.Disputed);
        escrow.release(requester.addr, JOB, 1);
        // The job goes on beside it.
        _prove(2, THIRD);
    }

    function test_dispute_isTheRequestersWithinTheChallengeTime() public {
        _accepted(1);
        vm.prank(requester.addr);
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.None);
        escrow.dispute(JOB, 1);
        _prove(1, THIRD);
        vm.prank(stranger);
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.None);
        escrow.dispute(JOB, 1);
        vm.warp(START_SECONDS + CHALLENGE_SECONDS);
        vm.prank(requester.addr);
        vm.expectRevert(
            abi.encodeWithSelector(
                IJobEscrow.ChallengeTimeOver.selector, START_SECONDS + CHALLENGE_SECONDS
            )
        );
        escrow.dispute(JOB, 1);
    }

    function test_dispute_needsAReferee() public {
        _deploy(address(0), 0);
        _accepted(1);
        _prove(1, THIRD);
        vm.prank(requester.addr);
        vm.expectRevert(IJobEscrow.NoReferee.selector);
        escrow.dispute(JOB, 1);
        // Nobody rules, the zero address neither.
        vm.prank(address(0));
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.Proven);
        escrow.rule(requester.addr, JOB, 1, 0);
    }

    function test_rule_splitsWhatIsDisputed() public {
        _disputed();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.NotReferee.selector, stranger));
        escrow.rule(requester.addr, JOB, 1, 0);
        vm.startPrank(address(referee));
        _expectDueExceeds(THIRD + 1, THIRD);
        escrow.rule(requester.addr, JOB, 1, THIRD + 1);
        vm.expectEmit(address(escrow));
        emit IJobEscrow.Released(requester.addr, provider.addr, JOB, 1, 1e6, AMOUNT - 1e6);
        escrow.rule(requester.addr, JOB, 1, 1e6);
        _assertBalances(SUPPLY - 1e6, 1e6, 0);
        _assertStatus(IJobEscrow.Status.Released, 1, 1);
        _expectMilestoneStatus(1, IJobEscrow.MilestoneStatus.Paid);
        escrow.rule(requester.addr, JOB, 1, 1e6);
    }

    function test_rule_andExpireDispute_areNeverBothPossible() public {
        _disputed();
        uint256 rulingBefore = START_SECONDS + DISPUTE_SECONDS;
        vm.warp(rulingBefore - 1);
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.RulingTimeRunning.selector, rulingBefore));
        escrow.expireDispute(requester.addr, JOB, 1);
        vm.warp(rulingBefore);
        vm.prank(address(referee));
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.RulingTimeOver.selector, rulingBefore));
        escrow.rule(requester.addr, JOB, 1, THIRD);
        vm.prank(stranger);
        escrow.expireDispute(requester.addr, JOB, 1);
        _assertBalances(SUPPLY, 0, 0);
    }

    // The fee.

    function testFuzz_fee_isTakenFromTheProvidersPayAndFetched(uint128 due, uint16 fee) public {
        due = uint128(bound(due, 0, AMOUNT));
        fee = uint16(bound(fee, 1, 500));
        _deploy(address(0), fee);
        _accepted(1);
        _prove(1, due);
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);
        uint256 kept = uint256(due) * fee / 10_000;
        vm.assertEq(token.balanceOf(provider.addr), due - kept, "provider");
        vm.assertEq(token.balanceOf(requester.addr), SUPPLY - due, "requester");
        vm.assertEq(escrow.deferredOf(treasury), kept, "waits for the treasury");
        if (kept == 0) return;
        vm.prank(stranger);
        escrow.collect(treasury);
        vm.assertEq(token.balanceOf(treasury), kept, "treasury");
        vm.assertEq(token.balanceOf(address(escrow)), 0, "nothing is left");
    }

    // Reorganisations.

    function test_reorganisation_aPaymentThatIsForgottenIsMadeAgainOnce() public {
        _accepted(2);
        uint256 fork = vm.snapshotState();
        bytes memory approval = _approval(requester.key, 1, 4e6);
        vm.prank(provider.addr);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        vm.assertTrue(vm.revertToState(fork), "reorganised");
        vm.assertEq(token.balanceOf(provider.addr), 0, "forgotten");
        vm.startPrank(provider.addr);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        _expectWrongMilestone(1, 2);
        escrow.settle(requester.addr, JOB, 1, ROOT, 4e6, approval);
        vm.assertEq(token.balanceOf(provider.addr), 4e6, "once");
    }

    function _deploy(address referee_, uint16 fee) private {
        escrow = new JobEscrow(token, CHALLENGE_SECONDS, DISPUTE_SECONDS, referee_, fee, treasury);
        vm.prank(requester.addr);
        token.approve(address(escrow), type(uint256).max);
    }

    function _accepted(uint8 milestones) private {
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, AMOUNT, DEADLINE, milestones);
        vm.prank(provider.addr);
        escrow.accept(requester.addr, JOB);
    }

    function _prove(uint8 milestone, uint128 due) private {
        vm.prank(provider.addr);
        escrow.submitProof(requester.addr, JOB, milestone, ROOT, due);
    }

    function _disputed() private {
        _accepted(1);
        _prove(1, THIRD);
        vm.prank(requester.addr);
        escrow.dispute(JOB, 1);
    }

    function _acceptance(uint256 key, uint128 amount, uint8 milestones)
        private
        view
        returns (bytes memory)
    {
        return signAcceptance(
            key, address(escrow), JOB, requester.addr, provider.addr, amount, DEADLINE, milestones
        );
    }

    function _approval(uint256 key, uint8 milestone, uint128 due)
        private
        view
        returns (bytes memory)
    {
        return signApproval(key, address(escrow), JOB, provider.addr, milestone, ROOT, due);
    }

    function _assertStatus(IJobEscrow.Status status, uint8 proven, uint8 paid) private view {
        IJobEscrow.Escrow memory held = escrow.escrowOf(requester.addr, JOB);
        vm.assertEq(uint256(held.status), uint256(status), "status");
        vm.assertEq(held.proven, proven, "proven");
        vm.assertEq(held.paid, paid, "paid");
    }

    function _assertBalances(uint256 ofRequester, uint256 ofProvider, uint256 ofEscrow)
        private
        view
    {
        vm.assertEq(token.balanceOf(requester.addr), ofRequester, "the requester's balance");
        vm.assertEq(token.balanceOf(provider.addr), ofProvider, "the provider's balance");
        vm.assertEq(token.balanceOf(address(escrow)), ofEscrow, "the escrow's balance");
    }

    function _expectDisputeTimeOutOfRange(uint64 given) private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.DisputeTimeOutOfRange.selector, given, 90 days)
        );
    }

    function _expectMilestonesOutOfRange(uint8 given) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.MilestonesOutOfRange.selector, given, 64));
    }

    function _expectWrongMilestone(uint8 given, uint8 next) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.WrongMilestone.selector, given, next));
    }

    function _expectMilestoneStatus(uint8 milestone, IJobEscrow.MilestoneStatus status) private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.WrongMilestoneStatus.selector, milestone, status)
        );
    }

    function _expectDueExceeds(uint256 due, uint256 most) private {
        vm.expectRevert(abi.encodeWithSelector(IJobEscrow.DueExceedsAmount.selector, due, most));
    }

    function _expectDeadlinePassed() private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.DeadlinePassed.selector, DEADLINE, DEADLINE)
        );
    }

    function _expectAcceptanceNotSigned() private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.AcceptanceNotSigned.selector, provider.addr)
        );
    }

    function _expectApprovalNotSigned() private {
        vm.expectRevert(
            abi.encodeWithSelector(IJobEscrow.ApprovalNotSigned.selector, requester.addr)
        );
    }
}
