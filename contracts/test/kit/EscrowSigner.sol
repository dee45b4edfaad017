// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {VoucherSigner} from "./VoucherSigner.sol";

/// @notice Signs what JobEscrow takes, as a wallet would, from the text of docs/protocol.md.
abstract contract EscrowSigner is VoucherSigner {
    bytes32 private constant ACCEPTANCE_TYPEHASH = keccak256(
        "Acceptance(bytes32 job,address requester,address provider,uint256 amount,uint64 deadline,uint8 milestones)"
    );
    bytes32 private constant APPROVAL_TYPEHASH = keccak256(
        "Approval(bytes32 job,address provider,uint8 milestone,bytes32 proofRoot,uint256 amountDue)"
    );

    function signAcceptance(
        uint256 key,
        address escrow,
        bytes32 jobId,
        address requester,
        address provider,
        uint256 amount,
        uint64 deadline,
        uint8 milestones
    ) internal view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                ACCEPTANCE_TYPEHASH, jobId, requester, provider, amount, deadline, milestones
            )
        );
        return _sign(key, escrow, structHash);
    }

    function signApproval(
        uint256 key,
        address escrow,
        bytes32 jobId,
        address provider,
        uint8 milestone,
        bytes32 proofRoot,
        uint256 amountDue
    ) internal view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(APPROVAL_TYPEHASH, jobId, provider, milestone, proofRoot, amountDue)
        );
        return _sign(key, escrow, structHash);
    }

    function _sign(uint256 key, address escrow, bytes32 structHash)
        private
        view
        returns (bytes memory)
    {
        bytes32 domain = domainOf(block.chainid, escrow);
        return signLong(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }
}
