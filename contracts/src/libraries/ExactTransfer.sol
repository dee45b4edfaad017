// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Deposits that are what they say
/// @notice A contract that owes what it was given must have been given it. These functions measure
/// the deposit instead of believing the token, so that a token that keeps a fee, or says yes and
/// moves nothing, is refused at the door and cannot eat into what others have deposited.
/// @dev The caller must hold a reentrancy lock over every function that moves the same token: a
/// token with hooks could otherwise nest one measured deposit in another and count it twice.
library ExactTransfer {
    using SafeERC20 for IERC20;

    /// @notice The token delivered another amount than the one named, as one that keeps a fee does.
    error DepositNotExact(uint256 amountNamed, uint256 amountReceived);

    /// @notice The permit was refused by the token and the allowance does not cover the amount.
    error PermitRefused(uint256 allowance, uint256 amount);

    /// @notice There is no contract at the address given as the token.
    error TokenHasNoCode(address token);

    /// @notice Reverts unless there is code at the token's address, which catches a deployment
    /// script that names an account, or the token of another chain.
    function requireToken(IERC20 token) internal view {
        if (address(token).code.length == 0) revert TokenHasNoCode(address(token));
    }

    /// @notice Takes exactly `amount` from `payer` into the calling contract, or reverts.
    function takeExactly(IERC20 token, address payer, uint256 amount) internal {
        uint256 balanceBefore = token.balanceOf(address(this));
        token.safeTransferFrom(payer, address(this), amount);
        uint256 balanceAfter = token.balanceOf(address(this));
        // A token that moves the balance the wrong way is told apart from an overflow.
        uint256 received = balanceAfter > balanceBefore ? balanceAfter - balanceBefore : 0;
        if (received != amount) revert DepositNotExact(amount, received);
    }

    /// @notice Uses `payer`'s permit for `amount`, or finds the allowance already there.
    /// @dev A permit is public once sent, and anybody may hand it in first. That must not stop the
    /// deposit it was made for, so a refused permit is an error only when the allowance is missing.
    function usePermit(
        IERC20 token,
        address payer,
        uint256 amount,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) internal {
        try IERC20Permit(address(token))
            .permit(payer, address(this), amount, permitDeadline, v, r, s) {}
        catch {
            uint256 allowance = token.allowance(payer, address(this));
            if (allowance < amount) revert PermitRefused(allowance, amount);
        }
    }
}
