// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures of people and of contracts
/// @notice One question for both: has this account agreed to this digest?
library Signatures {
    /// @notice True if `signature` is the account's own by its key (65 bytes, the lower half of s
    /// alone, EIP-2), or the account is a contract that takes it (EIP-1271).
    /// @dev The key is asked first: an account whose key has delegated to code (EIP-7702) is both, and
    /// its key can do everything anyway.
    function isSignedBy(address account, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        (address recovered, ECDSA.RecoverError error,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (error == ECDSA.RecoverError.NoError && recovered == account) return true;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(account, digest, signature);
    }
}
