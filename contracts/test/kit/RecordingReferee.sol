// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReferee} from "../../src/interfaces/IReferee.sol";

/// @notice A referee that writes down what it is told; the tests rule in its name.
contract RecordingReferee is IReferee {
    struct Dispute {
        address escrow;
        address requester;
        address provider;
        bytes32 jobId;
        uint8 milestone;
        bytes32 proofRoot;
        uint128 amountDue;
        uint64 rulingBefore;
    }

    Dispute private _last;
    uint256 public heard;

    /// @inheritdoc IReferee
    function disputed(
        address requester,
        address provider,
        bytes32 jobId,
        uint8 milestone,
        bytes32 proofRoot,
        uint128 amountDue,
        uint64 rulingBefore
    ) external override {
        heard++;
        _last = Dispute(
            msg.sender, requester, provider, jobId, milestone, proofRoot, amountDue, rulingBefore
        );
    }

    function last() external view returns (Dispute memory) {
        return _last;
    }
}
