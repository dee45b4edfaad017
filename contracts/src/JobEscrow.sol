// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IJobEscrow} from "./interfaces/IJobEscrow.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";

/// @title Money held for one job
/// @notice See {IJobEscrow}. There is no owner and no upgrade: every token that enters for a job
/// leaves to that job's provider or requester. The contract is also the `verifyingContract` of the
/// market's EIP-712 messages, so that a job signed for one deployment is worthless on another.
/// @dev The token must not shrink balances by itself and must not charge the sender more than the
/// amount of a transfer; deposits are measured, payments cannot be.
contract JobEscrow is IJobEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;

    /// @notice The longest challenge time a deployment may choose, in seconds: a provider must not
    /// wait for ever where the requester is gone.
    uint64 public constant CHALLENGE_SECONDS_MAX = 30 days;

    /// @inheritdoc IJobEscrow
    IERC20 public immutable override token;

    /// @inheritdoc IJobEscrow
    uint64 public immutable override challengeSeconds;

    mapping(address requester => mapping(bytes32 jobId => Escrow)) private _escrows;
    mapping(address account => uint256 amount) private _deferred;

    /// @param token_ The token that jobs are paid in.
    /// @param challengeSeconds_ How long a requester may look at a proof before anybody may release.
    constructor(IERC20 token_, uint64 challengeSeconds_) EIP712("RigMesh", "1") {
        token_.requireToken();
        if (challengeSeconds_ > CHALLENGE_SECONDS_MAX) {
            revert ChallengeTooLong(challengeSeconds_, CHALLENGE_SECONDS_MAX);
        }
        token = token_;
        challengeSeconds = challengeSeconds_;
    }

    /// @inheritdoc IJobEscrow
    function fund(bytes32 jobId, address provider, uint128 amount, uint64 deadline)
        external
        override
        nonReentrant
    {
        _fund(jobId, provider, amount, deadline);
    }

    /// @inheritdoc IJobEscrow
    function fundWithPermit(
        bytes32 jobId,
        address provider,
        uint128 amount,
        uint64 deadline,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override nonReentrant {
        token.usePermit(msg.sender, amount, permitDeadline, v, r, s);
        _fund(jobId, provider, amount, deadline);
    }

    /// @inheritdoc IJobEscrow
    function accept(address requester, bytes32 jobId) external override nonReentrant {
        Escrow storage escrow = _ownEscrow(requester, jobId);
        if (escrow.status != Status.Funded) revert WrongStatus(escrow.status);
        _requireBeforeDeadline(escrow.deadline);

        escrow.status = Status.Accepted;

        emit Accepted(requester, msg.sender, jobId);
    }

    /// @inheritdoc IJobEscrow
    function submitProof(address requester, bytes32 jobId, bytes32 proofRoot, uint128 amountDue)
        external
        override
        nonReentrant
    {
        Escrow storage escrow = _ownEscrow(requester, jobId);
        if (escrow.status != Status.Accepted) revert WrongStatus(escrow.status);
        _requireBeforeDeadline(escrow.deadline);
        if (proofRoot == 0) revert ZeroProofRoot();
        if (amountDue > escrow.amount) revert DueExceedsAmount(amountDue, escrow.amount);

        escrow.status = Status.Proven;
        escrow.provenAt = uint40(block.timestamp);
        escrow.amountDue = amountDue;
        escrow.proofRoot = proofRoot;

        emit ProofSubmitted(requester, msg.sender, jobId, proofRoot, amountDue);
    }

    /// @inheritdoc IJobEscrow
    function release(address requester, bytes32 jobId) external override nonReentrant {
        Escrow storage escrow = _escrows[requester][jobId];
        if (escrow.status != Status.Proven) revert WrongStatus(escrow.status);
        uint256 releasableAt = uint256(escrow.provenAt) + challengeSeconds;
        if (msg.sender != requester && block.timestamp < releasableAt) {
            revert ChallengeTimeRunning(releasableAt);
        }

        escrow.status = Status.Released;
        address provider = escrow.provider;
        uint128 amountPaid = escrow.amountDue;
        uint128 amountReturned = escrow.amount - amountPaid;

        emit Released(requester, provider, jobId, amountPaid, amountReturned);
        // Two accounts are paid, and neither may stop the other's payment by refusing its own.
        _payOrDefer(provider, amountPaid);
        _payOrDefer(requester, amountReturned);
    }

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
    function decline(address requester, bytes32 jobId) external override nonReentrant {
        Escrow storage escrow = _ownEscrow(requester, jobId);
        if (escrow.status != Status.Funded && escrow.status != Status.Accepted) {
            revert WrongStatus(escrow.status);
        }
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
    function deferredOf(address account) external view override returns (uint256) {
        return _deferred[account];
    }

    /// @inheritdoc IJobEscrow
    function domainSeparator() external view override returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _fund(bytes32 jobId, address provider, uint128 amount, uint64 deadline) private {
        if (provider == address(0)) revert ZeroProvider();
        if (amount == 0) revert ZeroAmount();
        if (deadline > type(uint40).max) revert DeadlineTooFar(deadline);
        if (deadline <= block.timestamp) revert DeadlinePassed(deadline, block.timestamp);
        Escrow storage escrow = _escrows[msg.sender][jobId];
        if (escrow.status != Status.None) revert JobIdUsed(msg.sender, jobId);

        escrow.provider = provider;
        escrow.status = Status.Funded;
        // Exact: a deadline of more than 40 bits was refused above.
        // forge-lint: disable-next-line(unsafe-typecast)
        escrow.deadline = uint40(deadline);
        escrow.amount = amount;

        emit Funded(msg.sender, provider, jobId, amount, deadline);
        token.takeExactly(msg.sender, amount);
    }

    function _refund(Escrow storage escrow, address requester, bytes32 jobId) private {
        escrow.status = Status.Refunded;
        uint128 amount = escrow.amount;

        emit Refunded(requester, escrow.provider, jobId, amount);
        // One account is paid, so a token that refuses takes it all back, to be tried again.
        token.safeTransfer(requester, amount);
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

    function _requireBeforeDeadline(uint64 deadline) private view {
        if (block.timestamp >= deadline) revert DeadlinePassed(deadline, block.timestamp);
    }
}
