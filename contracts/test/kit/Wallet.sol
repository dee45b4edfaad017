// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice How a contract wallet answers.
library Purse {
    enum Mood {
        Honest,
        Reverts
    }
}

/// @notice A wallet that is a contract: it takes what its owner signed.
contract Wallet is IERC1271 {
    address private immutable OWNER;
    Purse.Mood private _mood;

    error NotToday();

    constructor(address owner) {
        OWNER = owner;
    }

    function setMood(Purse.Mood mood) external {
        _mood = mood;
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature)
        external
        view
        override
        returns (bytes4)
    {
        if (_mood == Purse.Mood.Reverts) revert NotToday();
        (address signer,,) = ECDSA.tryRecover(hash, signature);
        return signer == OWNER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
