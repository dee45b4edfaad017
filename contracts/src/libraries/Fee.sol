// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title The protocol's fee
/// @notice A part of what a provider is paid, fixed at deployment, that goes to a treasury. It may
/// be zero, and then nothing is written for it.
library Fee {
    /// @notice The highest fee a deployment may choose: five in a hundred.
    uint16 internal constant BASIS_POINTS_MAX = 500;

    uint256 private constant BASIS = 10_000;

    /// @notice The fee given at deployment is above the highest allowed, or goes to nobody.
    error FeeRefused(uint16 feeBasisPoints, uint16 most, address treasury);

    /// @notice Reverts unless the fee may be asked, and there is somebody whom it goes to.
    function requireAllowed(uint16 basisPoints, address treasury) internal pure {
        if (basisPoints > BASIS_POINTS_MAX || (basisPoints != 0 && treasury == address(0))) {
            revert FeeRefused(basisPoints, BASIS_POINTS_MAX, treasury);
        }
    }

    /// @notice The fee of an amount, rounded down: what is rounded away stays with the provider.
    function part(uint256 amount, uint16 basisPoints) internal pure returns (uint256) {
        return amount * basisPoints / BASIS;
    }
}
