// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Money held for one job
/// @notice A requester locks the price of a job for one provider. The provider accepts, works, and
/// submits the root of its proof before the deadline; then it is paid what is due and the requester
/// gets the rest. Without a proof at the deadline the requester gets everything back.
///
///     None -- fund --> Funded -- accept --> Accepted -- submitProof --> Proven -- release --> Released
///                        |                     |
///                        +------ decline, or refund after the deadline ------> Refunded
///
/// An escrow belongs to its requester: its key is (requester, jobId), so that nobody can occupy
/// another's job id. Amounts are in the token's smallest unit, times in unix seconds of the block.
interface IJobEscrow {
    /// @notice Where an escrow stands. Released and Refunded are final: a job id is used once.
    enum Status {
        None,
        Funded,
        Accepted,
        Proven,
        Released,
        Refunded
    }

    /// @notice One escrow, in three storage slots. A finished one stays readable.
    struct Escrow {
        // The account that may accept, prove and decline.
        address provider;
        Status status;
        // A proof must arrive in a block before this time.
        uint40 deadline;
        // When the proof arrived; zero before.
        uint40 provenAt;
        // What the requester locked.
        uint128 amount;
        // What the provider is paid of it; zero before the proof.
        uint128 amountDue;
        // The root of the proof; zero before.
        bytes32 proofRoot;
    }

    /// @notice `amount` was locked for the job until `deadline`.
    event Funded(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        uint128 amount,
        uint64 deadline
    );

    /// @notice The provider took the job on.
    event Accepted(address indexed requester, address indexed provider, bytes32 indexed jobId);

    /// @notice The provider proved its work and asks for `amountDue`.
    event ProofSubmitted(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        bytes32 proofRoot,
        uint128 amountDue
    );

    /// @notice The provider got `amountPaid`, the requester `amountReturned`.
    event Released(
        address indexed requester,
        address indexed provider,
        bytes32 indexed jobId,
        uint128 amountPaid,
        uint128 amountReturned
    );

    /// @notice The requester got `amount`, all of it, back.
    event Refunded(
        address indexed requester, address indexed provider, bytes32 indexed jobId, uint128 amount
    );

    /// @notice The token refused to pay `amount` to `account`; it waits for {collect}.
    event PaymentDeferred(address indexed account, uint256 amount);

    /// @notice `amount` that had been deferred was paid to `account`.
    event Collected(address indexed account, uint256 amount);

    /// @notice The zero address was named as the provider.
    error ZeroProvider();

    /// @notice An amount of zero was named where something has to be locked.
    error ZeroAmount();

    /// @notice The deadline is not in the future.
    error DeadlinePassed(uint64 deadline, uint256 timestamp);

    /// @notice The deadline does not fit in 40 bits. Seconds are meant, not milliseconds.
    error DeadlineTooFar(uint64 deadline);

    /// @notice The requester has used this job id before.
    error JobIdUsed(address requester, bytes32 jobId);

    /// @notice Only the provider named in the escrow may do this. It is the zero address where
    /// there is no such escrow.
    error NotProvider(address caller, address provider);

    /// @notice The escrow stands elsewhere than this needs.
    error WrongStatus(Status status);

    /// @notice A proof has a root: zero was named.
    error ZeroProofRoot();

    /// @notice More was asked for than the requester locked.
    error DueExceedsAmount(uint128 amountDue, uint128 amount);

    /// @notice Only the requester may release before the challenge time ends.
    error ChallengeTimeRunning(uint256 releasableAt);

    /// @notice The provider has until the deadline.
    error DeadlineNotReached(uint64 deadline);

    /// @notice Nothing is deferred for this account.
    error NothingDeferred(address account);

    /// @notice The challenge time given at deployment is above the longest one allowed.
    error ChallengeTooLong(uint64 challengeSeconds, uint64 challengeSecondsMax);

    /// @notice The token that jobs are paid in.
    function token() external view returns (IERC20);

    /// @notice How long a requester may look at a proof before anybody may release it, in seconds.
    function challengeSeconds() external view returns (uint64);

    /// @notice The EIP-712 domain separator of jobs, receipts, vouchers and offers on this chain.
    function domainSeparator() external view returns (bytes32);

    /// @notice Locks `amount` of the caller's tokens for a job; needs an allowance for it.
    /// @param jobId The hash of the job. The caller can use each once.
    /// @param provider The account that may do the job.
    /// @param amount What is locked, the most the job may cost.
    /// @param deadline The proof must be in a block before this time.
    function fund(bytes32 jobId, address provider, uint128 amount, uint64 deadline) external;

    /// @notice The same with an EIP-2612 permit in place of an allowance.
    /// @param jobId The hash of the job. The caller can use each once.
    /// @param provider The account that may do the job.
    /// @param amount What is locked, and what the permit is for.
    /// @param deadline The proof must be in a block before this time.
    /// @param permitDeadline The deadline signed in the permit.
    /// @param v The recovery id of the permit's signature.
    /// @param r The first half of the permit's signature.
    /// @param s The second half of the permit's signature.
    function fundWithPermit(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice The provider takes the job on, before the deadline.
    function accept(address requester, bytes32 jobId) external;

    /// @notice The provider proves an accepted job, before the deadline.
    /// @param requester The account that locked the money.
    /// @param jobId The hash of the job.
    /// @param proofRoot The root of the checkpoint chain or of the outputs; not zero.
    /// @param amountDue What the work costs, at most what was locked. It may be zero.
    function submitProof(address requester, bytes32 jobId, bytes32 proofRoot, uint128 amountDue)
        external;

    /// @notice Pays a proven job: by the requester at any time, by anybody once the challenge time
    /// has passed since the proof.
    function release(address requester, bytes32 jobId) external;

    /// @notice Gives the money of a job without proof back to its requester; by anybody, once the
    /// deadline is reached.
    function refund(address requester, bytes32 jobId) external;

    /// @notice The provider gives the money back at once: it refused the job, failed, or agreed to
    /// cancel. Possible until there is a proof.
    function decline(address requester, bytes32 jobId) external;

    /// @notice Pays out what the token had refused to pay to `account`; by anybody.
    function collect(address account) external;

    /// @notice The escrow of a requester's job; all zero where there is none.
    function escrowOf(address requester, bytes32 jobId) external view returns (Escrow memory);

    /// @notice What waits for `account` because the token refused to pay it.
    function deferredOf(address account) external view returns (uint256);
}
