// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Money held for one job, paid by milestones
/// @notice A requester locks the price of a job for one provider, in one to 64 milestones. The
/// provider accepts, works, and proves one milestone after the other before the deadline; each is
/// paid by itself: by the requester's release or signature, or by anybody after the challenge time.
/// What is not proven at the deadline goes back.
///
///     None -- fund --> Funded -- accept --> Accepted -- last proof --> Proven -- all paid --> Released
///       |                 |                   ^   |
///       +- fundAccepted --|-------------------+   |
///                         +-----------------------+-- decline, or refund at the deadline --> Refunded
///
///     a milestone:  None -- submitProof --> Proven -- release, settle --> Paid
///                                              +-- dispute --> Disputed -- rule, expireDispute --> Paid
///
/// An escrow belongs to its requester: its key is (requester, jobId), so that nobody can occupy
/// another's job id. Amounts are in the token's smallest unit, times in unix seconds of the block.
interface IJobEscrow {
    /// @notice Where an escrow stands. A job id is used once.
    enum Status {
        None,
        Funded,
        // The provider took the job on; some milestones may be proven and paid.
        Accepted,
        // Every milestone is proven; some are not paid.
        Proven,
        // Every milestone is paid, and the rest went back.
        Released,
        // What was not proven went back; milestones proven before that are still paid.
        Refunded
    }

    /// @notice Where a milestone stands.
    enum MilestoneStatus {
        None,
        Proven,
        Disputed,
        Paid
    }

    /// @notice One escrow, in two storage slots. A finished one stays readable.
    struct Escrow {
        // The account that may accept, prove and decline.
        address provider;
        Status status;
        // In how many parts the job is proven and paid.
        uint8 milestones;
        // How many of them are proven, in order.
        uint8 proven;
        // How many of the proven are paid, in any order.
        uint8 paid;
        // A proof must arrive in a block before this time.
        uint40 deadline;
        // What the requester locked.
        uint128 amount;
        // The sum of what was asked for with the proofs.
        uint128 amountDue;
    }

    /// @notice One milestone, in two storage slots; all zero where it was settled in one step.
    struct Milestone {
        MilestoneStatus status;
        // When the proof arrived, or, of a disputed one, the dispute.
        uint40 since;
        // What the provider asks for.
        uint128 amountDue;
        bytes32 proofRoot;
    }

    /// @notice An EIP-2612 permit for the amount that is locked.
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice `amount` was locked for the job until `deadline`.
    event Funded(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        uint128 amount,
        uint64 deadline,
        uint8 milestones
    );

    /// @notice The provider took the job on.
    event Accepted(address indexed requester, address indexed provider, bytes32 indexed jobId);

    /// @notice The provider proved a milestone and asks for `amountDue`.
    event ProofSubmitted(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue
    );

    /// @notice The requester disputes a milestone; the referee may rule before `rulingBefore`.
    event Disputed(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        uint8 milestone,
        uint64 rulingBefore
    );

    /// @notice A milestone was paid: the provider got `amountPaid`, less the fee, and the requester
    /// `amountReturned`, which is what a ruling gave back, and with the last the rest of the job.
    event Released(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        uint8 milestone,
        uint128 amountPaid,
        uint128 amountReturned
    );

    /// @notice The requester got `amount` back, all that was not proven.
    event Refunded(
        address indexed requester, address indexed provider, bytes32 indexed jobId, uint128 amount
    );

    /// @notice The token refused to pay `amount` to `account`; it waits for {collect}.
    event PaymentDeferred(address indexed account, uint256 amount);

    /// @notice `amount` that had been waiting was paid to `account`.
    event Collected(address indexed account, uint256 amount);

    /// @notice The zero address was named as the provider.
    error ZeroProvider();

    /// @notice An amount of zero was named where something has to be locked.
    error ZeroAmount();

    /// @notice A job has one to {MILESTONES_MAX} milestones.
    error MilestonesOutOfRange(uint8 milestones, uint8 most);

    /// @notice The deadline is not in the future.
    error DeadlinePassed(uint64 deadline, uint256 timestamp);

    /// @notice The deadline does not fit in 40 bits. Seconds are meant, not milliseconds.
    error DeadlineTooFar(uint64 deadline);

    /// @notice The requester has used this job id before.
    error JobIdUsed(address requester, bytes32 jobId);

    /// @notice Only the provider named in the escrow may do this. It is the zero address where
    /// there is no such escrow.
    error NotProvider(address caller, address provider);

    /// @notice The provider has not signed an acceptance of these terms.
    error AcceptanceNotSigned(address provider);

    /// @notice The requester has not signed an approval of this milestone, root and amount.
    error ApprovalNotSigned(address requester);

    /// @notice The escrow stands elsewhere than this needs.
    error WrongStatus(Status status);

    /// @notice The milestone stands elsewhere than this needs.
    error WrongMilestoneStatus(uint8 milestone, MilestoneStatus status);

    /// @notice Milestones are proven in order: `next` is the next one.
    error WrongMilestone(uint8 milestone, uint8 next);

    /// @notice What is approved is not what was proven.
    error ProofDiffers(bytes32 proofRoot, uint128 amountDue);

    /// @notice A proof has a root: zero was named.
    error ZeroProofRoot();

    /// @notice With this milestone more would be asked for, in sum, than its share of what the
    /// requester locked.
    error DueExceedsAmount(uint256 amountDue, uint256 amountMax);

    /// @notice Only the requester may release before the challenge time ends.
    error ChallengeTimeRunning(uint256 releasableAt);

    /// @notice A dispute comes within the challenge time, which ended at `releasableAt`.
    error ChallengeTimeOver(uint256 releasableAt);

    /// @notice This escrow was deployed without a referee: nobody could rule.
    error NoReferee();

    /// @notice Only the referee may rule.
    error NotReferee(address caller);

    /// @notice The referee had until `rulingBefore`.
    error RulingTimeOver(uint256 rulingBefore);

    /// @notice The referee has until `rulingBefore`.
    error RulingTimeRunning(uint256 rulingBefore);

    /// @notice The provider has until the deadline.
    error DeadlineNotReached(uint64 deadline);

    /// @notice Nothing is waiting for this account.
    error NothingDeferred(address account);

    /// @notice The challenge time given at deployment is above the longest one allowed.
    error ChallengeTooLong(uint64 challengeSeconds, uint64 challengeSecondsMax);

    /// @notice The time to rule given at deployment is above the longest one allowed, or none.
    error DisputeTimeOutOfRange(uint64 disputeSeconds, uint64 disputeSecondsMax);

    /// @notice The token that jobs are paid in.
    function token() external view returns (IERC20);

    /// @notice How long a requester may look at a proof before anybody may release it, in seconds.
    function challengeSeconds() external view returns (uint64);

    /// @notice How long the referee has to rule, in seconds.
    function disputeSeconds() external view returns (uint64);

    /// @notice The contract that rules; zero where nobody does, and nothing can be disputed.
    function referee() external view returns (address);

    /// @notice The part of what a provider is paid that goes to the treasury, in ten-thousandths.
    function feeBasisPoints() external view returns (uint16);

    /// @notice The account that fees wait for, see {collect}.
    function treasury() external view returns (address);

    /// @notice The EIP-712 domain separator of jobs, receipts, offers, acceptances and approvals.
    function domainSeparator() external view returns (bytes32);

    /// @notice Locks `amount` of the caller's tokens for a job; needs an allowance for it.
    /// @param jobId The hash of the job. The caller can use each once.
    /// @param provider The account that may do the job.
    /// @param amount What is locked, the most the job may cost.
    /// @param deadline Each proof must be in a block before this time.
    /// @param milestones In how many parts the job is proven and paid.
    function fund(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones
    ) external;

    /// @notice The same with a permit in place of an allowance.
    function fundWithPermit(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        Permit calldata permit
    ) external;

    /// @notice Locks the money of a job that its provider has taken on by signature, EIP-712 or
    /// EIP-1271, over Acceptance(job, requester, provider, amount, deadline, milestones).
    function fundAccepted(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        bytes calldata acceptance
    ) external;

    /// @notice The same with a permit in place of an allowance.
    function fundAcceptedWithPermit(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint8 milestones,
        bytes calldata acceptance,
        Permit calldata permit
    ) external;

    /// @notice The provider takes the job on, before the deadline.
    function accept(address requester, bytes32 jobId) external;

    /// @notice The provider proves the next milestone of an accepted job, before the deadline.
    /// @param requester The account that locked the money.
    /// @param jobId The hash of the job.
    /// @param milestone Which one, from 1.
    /// @param proofRoot What the milestone is held to; not zero.
    /// @param amountDue What it costs. The sum of all so far is at most the milestones' share of what
    /// was locked. It may be zero.
    function submitProof(
        address requester,
        bytes32 jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue
    ) external;

    /// @notice Pays a proven milestone: by the requester at any time, by anybody once the challenge
    /// time has passed since the proof.
    function release(address requester, bytes32 jobId, uint8 milestone) external;

    /// @notice Pays a milestone by the requester's signature, EIP-712 or EIP-1271, over
    /// Approval(job, provider, milestone, proofRoot, amountDue): one that is proven, handed in by
    /// anybody; or the next, handed in by the provider in place of its proof.
    function settle(
        address requester,
        bytes32 jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue,
        bytes calldata approval
    ) external;

    /// @notice The requester lays a proven milestone before the referee, within the challenge time.
    function dispute(bytes32 jobId, uint8 milestone) external;

    /// @notice The referee gives `amountPaid` of what is disputed to the provider, and what is left
    /// of it to the requester.
    function rule(address requester, bytes32 jobId, uint8 milestone, uint128 amountPaid) external;

    /// @notice Gives what is disputed back to the requester where the referee has not ruled in time;
    /// by anybody.
    function expireDispute(address requester, bytes32 jobId, uint8 milestone) external;

    /// @notice Gives what is not proven back to the requester; by anybody, once the deadline is
    /// reached.
    function refund(address requester, bytes32 jobId) external;

    /// @notice The provider gives what is not proven back at once: it refused the job, failed, or
    /// agreed to cancel. Possible until the last proof.
    function decline(address requester, bytes32 jobId) external;

    /// @notice Pays out what waits for `account`; by anybody.
    function collect(address account) external;

    /// @notice The escrow of a requester's job; all zero where there is none.
    function escrowOf(address requester, bytes32 jobId) external view returns (Escrow memory);

    /// @notice A milestone of a requester's job; all zero where it is not proven, or was settled in
    /// one step.
    function milestoneOf(address requester, bytes32 jobId, uint8 milestone)
        external
        view
        returns (Milestone memory);

    /// @notice What waits for `account`: what the token refused to pay to it, and a treasury's fees.
    function deferredOf(address account) external view returns (uint256);
}
