// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Who rules where a requester and a provider disagree
/// @notice A contract, fixed when JobEscrow is deployed. JobEscrow tells it of a dispute; it answers
/// by calling {IJobEscrow.rule} before `rulingBefore`. Without an answer the money goes back to the
/// requester.
interface IReferee {
    /// @notice The requester disputes a milestone.
    /// @param requester Who locked the money.
    /// @param provider Who did the work.
    /// @param jobId The hash of the job.
    /// @param milestone Which of its milestones, from 1.
    /// @param proofRoot The root of the proof that is disputed.
    /// @param amountDue What the provider asks for.
    /// @param rulingBefore A ruling must be in a block before this time.
    function disputed(
        address requester,
        address provider,
        bytes32 jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue,
        uint64 rulingBefore
    ) external;
}
