// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {HookToken, ITransferHook} from "./HookToken.sol";

/// @notice A party to a job, a stake or a channel that is a contract, does what it is told, and uses
/// its token's hook, or the ether that it gets, for what it was armed with.
contract ReentrantParty is ITransferHook {
    enum Trick {
        None,
        TryTheCalls,
        Revert,
        BurnAllGas
    }

    error PaymentNotWanted();

    bytes4 private constant LOCKED = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;

    address private immutable TARGET;
    Trick private trick;
    bytes[] private calls;

    /// @notice How many calls the hook tried, how many of them the reentrancy lock refused, and how
    /// many were done.
    uint256 public callsTried;
    uint256 public callsLockedOut;
    uint256 public callsDone;

    constructor(HookToken token, address target) {
        TARGET = target;
        token.setHook(true);
        IERC20(token).approve(target, type(uint256).max);
    }

    function arm(Trick trick_, bytes[] calldata calls_) external {
        trick = trick_;
        delete calls;
        for (uint256 i = 0; i < calls_.length; i++) {
            calls.push(calls_[i]);
        }
    }

    receive() external payable {
        _useTheTrick();
    }

    /// @notice Calls the target as this party.
    function act(bytes calldata data) external payable {
        (bool success, bytes memory result) = TARGET.call{value: msg.value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// @inheritdoc ITransferHook
    function onTransfer(address, address, uint256) external {
        _useTheTrick();
    }

    function _useTheTrick() private {
        if (trick == Trick.Revert) revert PaymentNotWanted();
        if (trick == Trick.BurnAllGas) {
            assembly {
                invalid()
            }
        }
        if (trick == Trick.TryTheCalls) {
            for (uint256 i = 0; i < calls.length; i++) {
                (bool success, bytes memory result) = TARGET.call(calls[i]);
                callsTried++;
                if (success) callsDone++;
                // forge-lint: disable-next-line(unsafe-typecast)
                if (!success && bytes4(result) == LOCKED) callsLockedOut++;
            }
        }
    }
}
