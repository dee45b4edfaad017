// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {IReferee} from "./interfaces/IReferee.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";
import {Fee} from "./libraries/Fee.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title Money held for one job
/// @notice See {IJobEscrow}. There is no owner and no upgrade: every token that enters for a job
/// leaves to that job's provider or requester, and a fee fixed at deployment to the treasury. The
/// contract is also the `verifyingContract` of the market's EIP-712 messages but vouchers and session
/// keys, so that a job signed for one deployment is worthless on another.
/// @dev The token must not shrink balances by itself and must not charge the sender more than the
/// amount of a transfer; deposits are measured, payments cannot be.
contract JobEscrow is IJobEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;

    /// @notice The longest challenge time a deployment may choose, in seconds: a provider must not
    /// wait for ever where the requester is gone.
    uint64 public constant CHALLENGE_SECONDS_MAX = 30 days;

    /// @notice The longest time to rule a deployment may choose, in seconds.
    uint64 public constant DISPUTE_SECONDS_MAX = 90 days;

    /// @notice The most milestones a job may have.
    uint8 public constant MILESTONES_MAX = 64;

    /// @inheritdoc IJobEscrow
    IERC20 public immutable override token;

    /// @inheritdoc IJobEscrow
    uint64 public immutable override challengeSeconds;

    /// @inheritdoc IJobEscrow
    uint64 public immutable override disputeSeconds;

    /// @inheritdoc IJobEscrow
    address public immutable override referee;

    /// @inheritdoc IJobEscrow
    uint16 public immutable override feeBasisPoints;

    /// @inheritdoc IJobEscrow
    address public immutable override treasury;

    mapping(address requester => mapping(bytes32 jobId => Escrow)) private _escrows;
    mapping(address requester => mapping(bytes32 jobId => mapping(uint8 number => Milestone)))
        private _milestones;
    mapping(address account => uint256 amount) private _deferred;

    /// @param token_ The token that jobs are paid in.
    /// @param challengeSeconds_ How long a requester may look at a proof before anybody may release.
    /// @param disputeSeconds_ How long the referee has to rule; at least a second where there is one.
    /// @param referee_ The contract that rules; zero for none.
    /// @param feeBasisPoints_ The treasury's part of what providers are paid, in ten-thousandths.
    /// @param treasury_ Whom it waits for; may be zero where the fee is.
    constructor(
        IERC20 token_,
        uint64 challengeSeconds_,
        uint64 disputeSeconds_,
        address referee_,
        uint16 feeBasisPoints_,
        address treasury_
    ) EIP712("RigMesh", "1") {
        token_.requireToken();
        if (challengeSeconds_ > CHALLENGE_SECONDS_MAX) {
            revert ChallengeTooLong(challengeSeconds_, CHALLENGE_SECONDS_MAX);
        }
        if (
            disputeSeconds_ > DISPUTE_SECONDS_MAX
                || (disputeSeconds_ == 0 && referee_ != address(0))
        ) {
            revert DisputeTimeOutOfRange(disputeSeconds_, DISPUTE_SECONDS_MAX);
        }
        Fee.requireAllowed(feeBasisPoints_, treasury_);
        token = token_;
        challengeSeconds = challengeSeconds_;
        disputeSeconds = disputeSeconds_;
        referee = referee_;
        feeBasisPoints = feeBasisPoints_;
        treasury = treasury_;
    }

    // The requester locks money.

    /// @inheritdoc IJobEscrow
    function fund(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones
    ) external override nonReentrant {
        _open(jobId, provider, amount, deadline, milestones, Status.Funded);
        token.takeExactly(msg.sender, amount);
    }

    /// @inheritdoc IJobEscrow
    function fundWithPermit(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        Permit calldata permit
    ) external override nonReentrant {
        _open(jobId, provider, amount, deadline, milestones, Status.Funded);
        _takeWithPermit(amount, permit);
    }

    /// @inheritdoc IJobEscrow
    function fundAccepted(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        bytes calldata acceptance
    ) external override nonReentrant {
        _open(jobId, provider, amount, deadline, milestones, Status.Accepted);
        _requireAcceptance(jobId, provider, amount, deadline, milestones, acceptance);
        token.takeExactly(msg.sender, amount);
    }

    /// @inheritdoc IJobEscrow
    function fundAcceptedWithPermit(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        bytes calldata acceptance,
        Permit calldata permit
    ) external override nonReentrant {
        _open(jobId, provider, amount, deadline, milestones, Status.Accepted);
        _requireAcceptance(jobId, provider, amount, deadline, milestones, acceptance);
        _takeWithPermit(amount, permit);
    }

    // The provider works.

    /// @inheritdoc IJobEscrow
    function accept(address requester, bytes32 jobId) external override nonReentrant {
        Escrow storage escrow = _ownEscrow(requester, jobId);
        if (escrow.status != Status.Funded) revert WrongStatus(escrow.status);
        _requireBeforeDeadline(escrow.deadline);

        escrow.status = Status.Accepted;

        emit Accepted(requester, msg.sender, jobId);
    }

    /// @inheritdoc IJobEscrow
    function submitProof(
        address requester,
        bytes32 jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue
    ) external override nonReentrant {
        _prove(requester, jobId, milestone, proofRoot, amountDue);
        _milestones[requester][jobId][milestone] =
            Milestone(MilestoneStatus.Proven, uint40(block.timestamp), amountDue, proofRoot);
    }

    /// @inheritdoc IJobEscrow
    function decline(address requester, bytes32 jobId) external override nonReentrant {
        Escrow storage escrow = _ownEscrow(requester, jobId);
        if (escrow.status != Status.Funded && escrow.status != Status.Accepted) {
            revert WrongStatus(escrow.status);
        }
        _refund(escrow, requester, jobId);
    }

    // Milestones are paid.

    /// @inheritdoc IJobEscrow
    function release(address requester, bytes32 jobId, uint8 number)
        external
        override
        nonReentrant
    {
        Milestone storage milestone = _milestoneIn(MilestoneStatus.Proven, requester, jobId, number);
        uint256 releasableAt = uint256(milestone.since) + challengeSeconds;
        if (msg.sender != requester && block.timestamp < releasableAt) {
            revert ChallengeTimeRunning(releasableAt);
        }

        milestone.status = MilestoneStatus.Paid;
        _pay(requester, jobId, number, milestone.amountDue, 0);
    }

    /// @inheritdoc IJobEscrow
    function settle(
        address requester,
        bytes32 jobId,
        uint8 number,
        bytes32 proofRoot,
        uint128 amountDue,
        bytes calldata approval
    ) external override nonReentrant {
        Milestone storage milestone = _milestones[requester][jobId][number];
        if (milestone.status == MilestoneStatus.Proven) {
            if (milestone.proofRoot != proofRoot || milestone.amountDue != amountDue) {
                revert ProofDiffers(milestone.proofRoot, milestone.amountDue);
            }
            milestone.status = MilestoneStatus.Paid;
        } else if (milestone.status == MilestoneStatus.None) {
            // By the provider alone: a requester could approve of less than what is due.
            _prove(requester, jobId, number, proofRoot, amountDue);
        } else {
            revert WrongMilestoneStatus(number, milestone.status);
        }
        _requireApproval(requester, jobId, number, proofRoot, amountDue, approval);
        _pay(requester, jobId, number, amountDue, 0);
    }

    // Milestones are disputed.

    /// @inheritdoc IJobEscrow
    function dispute(bytes32 jobId, uint8 number) external override nonReentrant {
        if (referee == address(0)) revert NoReferee();
        Milestone storage milestone =
            _milestoneIn(MilestoneStatus.Proven, msg.sender, jobId, number);
        uint256 releasableAt = uint256(milestone.since) + challengeSeconds;
        if (block.timestamp >= releasableAt) revert ChallengeTimeOver(releasableAt);

        milestone.status = MilestoneStatus.Disputed;
        milestone.since = uint40(block.timestamp);
        uint64 rulingBefore = uint64(block.timestamp) + disputeSeconds;
        address provider = _escrows[msg.sender][jobId].provider;

        emit Disputed(msg.sender, provider, jobId, number, rulingBefore);
        IReferee(referee)
            .disputed(
                msg.sender,
                provider,
                jobId,
                number,
                milestone.proofRoot,
                milestone.amountDue,
                rulingBefore
            );
    }

    /// @inheritdoc IJobEscrow
    function rule(address requester, bytes32 jobId, uint8 number, uint128 amountPaid)
        external
        override
        nonReentrant
    {
        if (msg.sender != referee) revert NotReferee(msg.sender);
        Milestone storage milestone =
            _milestoneIn(MilestoneStatus.Disputed, requester, jobId, number);
        uint256 rulingBefore = uint256(milestone.since) + disputeSeconds;
        if (block.timestamp >= rulingBefore) revert RulingTimeOver(rulingBefore);
        uint128 amountDue = milestone.amountDue;
        if (amountPaid > amountDue) revert DueExceedsAmount(amountPaid, amountDue);

        milestone.status = MilestoneStatus.Paid;
        _pay(requester, jobId, number, amountPaid, amountDue - amountPaid);
    }

    /// @inheritdoc IJobEscrow
    function expireDispute(address requester, bytes32 jobId, uint8 number)
        external
        override
        nonReentrant
    {
        Milestone storage milestone =
            _milestoneIn(MilestoneStatus.Disputed, requester, jobId, number);
        uint256 rulingBefore = uint256(milestone.since) + disputeSeconds;
        if (block.timestamp < rulingBefore) revert RulingTimeRunning(rulingBefore);

        milestone.status = MilestoneStatus.Paid;
        _pay(requester, jobId, number, 0, milestone.amountDue);
    }

    // What is left goes back.

    /// @inheritdoc IJobEscrow
    function refund(address requester, bytes32 jobId) external override nonReentrant {
        Escrow storage escrow = _escrows[requester][jobId];
        if (escrow.status != Status.Funded && escrow.status != Status.Accepted) {
            revert WrongStatus(escrow.status);
        }
        if (block.timestamp < escrow.deadline) revert DeadlineNotReached(escrow.deadline);
        _refund(escrow, requester, jobId);
    }

    /// @inheritdoc IJobEscrow
    function collect(address account) external override nonReentrant {
        uint256 amount = _deferred[account];
        if (amount == 0) revert NothingDeferred(account);

        _deferred[account] = 0;

        emit Collected(account, amount);
        token.safeTransfer(account, amount);
    }

    // What can be read.

    /// @inheritdoc IJobEscrow
    function escrowOf(address requester, bytes32 jobId)
        external
        view
        override
        returns (Escrow memory)
    {
        return _escrows[requester][jobId];
    }

    /// @inheritdoc IJobEscrow
    function milestoneOf(address requester, bytes32 jobId, uint8 milestone)
        external
        view
        override
        returns (Milestone memory)
    {
        return _milestones[requester][jobId][milestone];
    }

    /// @inheritdoc IJobEscrow
    function deferredOf(address account) external view override returns (uint256) {
        return _deferred[account];
    }

    /// @inheritdoc IJobEscrow
    function domainSeparator() external view override returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev Writes the escrow down, before its money is taken; the measured deposit then either
    /// covers it or takes the whole transaction back.
    function _open(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        Status status
    ) private {
        if (provider == address(0)) revert ZeroProvider();
        if (amount == 0) revert ZeroAmount();
        if (milestones == 0 || milestones > MILESTONES_MAX) {
            revert MilestonesOutOfRange(milestones, MILESTONES_MAX);
        }
        if (deadline > type(uint40).max) revert DeadlineTooFar(deadline);
        _requireBeforeDeadline(deadline);
        Escrow storage escrow = _escrows[msg.sender][jobId];
        if (escrow.status != Status.None) revert JobIdUsed(msg.sender, jobId);

        escrow.provider = provider;
        escrow.status = status;
        escrow.milestones = milestones;
        // Exact: a deadline of more than 40 bits was refused above.
        // forge-lint: disable-next-line(unsafe-typecast)
        escrow.deadline = uint40(deadline);
        escrow.amount = amount;

        emit Funded(msg.sender, provider, jobId, amount, deadline, milestones);
        if (status == Status.Accepted) emit Accepted(msg.sender, provider, jobId);
    }

    function _takeWithPermit(uint128 amount, Permit calldata permit) private {
        token.usePermit(msg.sender, amount, permit.deadline, permit.v, permit.r, permit.s);
        token.takeExactly(msg.sender, amount);
    }

    /// @dev Counts the next milestone as proven.
    function _prove(
        address requester,
        bytes32 jobId,
        uint8 number,
        bytes32 proofRoot,
        uint128 amountDue
    ) private {
        Escrow storage escrow = _ownEscrow(requester, jobId);
        if (escrow.status != Status.Accepted) revert WrongStatus(escrow.status);
        _requireBeforeDeadline(escrow.deadline);
        uint8 next = escrow.proven + 1;
        if (number != next) revert WrongMilestone(number, next);
        if (proofRoot == 0) revert ZeroProofRoot();
        uint256 sum = uint256(escrow.amountDue) + amountDue;
        uint256 most = uint256(escrow.amount) * number / escrow.milestones;
        if (sum > most) revert DueExceedsAmount(sum, most);

        escrow.proven = number;
        // Exact: at most the amount locked.
        // forge-lint: disable-next-line(unsafe-typecast)
        escrow.amountDue = uint128(sum);
        if (number == escrow.milestones) escrow.status = Status.Proven;

        emit ProofSubmitted(requester, escrow.provider, jobId, number, proofRoot, amountDue);
    }

    /// @dev Pays a milestone that was just marked as paid, and with the last what is left of the job.
    function _pay(
        address requester,
        bytes32 jobId,
        uint8 number,
        uint128 amountPaid,
        uint128 amountReturned
    ) private {
        Escrow storage escrow = _escrows[requester][jobId];
        uint8 paid = escrow.paid + 1;
        escrow.paid = paid;
        if (escrow.status == Status.Proven && paid == escrow.milestones) {
            escrow.status = Status.Released;
            amountReturned += escrow.amount - escrow.amountDue;
        }
        address provider = escrow.provider;

        emit Released(requester, provider, jobId, number, amountPaid, amountReturned);
        uint256 fee = Fee.part(amountPaid, feeBasisPoints);
        // The treasury fetches its fees by itself: it can stop nobody's payment.
        if (fee != 0) _deferred[treasury] += fee;
        // Two accounts are paid, and neither may stop the other's payment by refusing its own.
        _payOrDefer(provider, amountPaid - fee);
        _payOrDefer(requester, amountReturned);
    }

    function _refund(Escrow storage escrow, address requester, bytes32 jobId) private {
        escrow.status = Status.Refunded;
        uint128 amount = escrow.amount - escrow.amountDue;

        emit Refunded(requester, escrow.provider, jobId, amount);
        // One account is paid, so a token that refuses takes it all back, to be tried again.
        if (amount != 0) token.safeTransfer(requester, amount);
    }

    /// @dev Pays `account`, or notes the amount for {collect} where the token refuses, as one with
    /// a list of blocked accounts does. Zero is not sent, since some tokens refuse that too. No gas
    /// limit is set on the token: a caller that brings too little gas runs out of it here as well,
    /// and cannot turn a payment into a deferred one.
    function _payOrDefer(address account, uint256 amount) private {
        if (amount == 0) return;
        if (token.trySafeTransfer(account, amount)) return;
        _deferred[account] += amount;
        emit PaymentDeferred(account, amount);
    }

    /// @dev The escrow, where the caller is its provider. There is none without a provider.
    function _ownEscrow(address requester, bytes32 jobId)
        private
        view
        returns (Escrow storage escrow)
    {
        escrow = _escrows[requester][jobId];
        if (msg.sender != escrow.provider) revert NotProvider(msg.sender, escrow.provider);
    }

    function _milestoneIn(MilestoneStatus wanted, address requester, bytes32 jobId, uint8 number)
        private
        view
        returns (Milestone storage milestone)
    {
        milestone = _milestones[requester][jobId][number];
        if (milestone.status != wanted) revert WrongMilestoneStatus(number, milestone.status);
    }

    function _requireBeforeDeadline(uint64 deadline) private view {
        if (block.timestamp >= deadline) revert DeadlinePassed(deadline, block.timestamp);
    }

    function _requireAcceptance(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        bytes calldata acceptance
    ) private view {
        bytes32 structHash = TypedData.hash(
            TypedData.Acceptance({
                job: jobId,
                requester: msg.sender,
                provider: provider,
                amount: amount,
                deadline: deadline,
                milestones: milestones
            })
        );
        if (!Signatures.isSignedBy(provider, _hashTypedDataV4(structHash), acceptance)) {
            revert AcceptanceNotSigned(provider);
        }
    }

    function _requireApproval(
        address requester,
        bytes32 jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue,
        bytes calldata approval
    ) private view {
        bytes32 structHash = TypedData.hash(
            TypedData.Approval({
                job: jobId,
                provider: _escrows[requester][jobId].provider,
                milestone: milestone,
                proofRoot: proofRoot,
                amountDue: amountDue
            })
        );
        if (!Signatures.isSignedBy(requester, _hashTypedDataV4(structHash), approval)) {
            revert ApprovalNotSigned(requester);
        }
    }
}
