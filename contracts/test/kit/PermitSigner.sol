// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {ForgeTest} from "./ForgeTest.sol";

/// @notice Signs EIP-2612 permits as a wallet would, from the text of the standard.
abstract contract PermitSigner is ForgeTest {
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );

    function signPermit(
        Account memory owner,
        address token,
        address spender,
        uint256 value,
        uint256 deadline
    ) internal view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(
            abi.encode(
                PERMIT_TYPEHASH,
                owner.addr,
                spender,
                value,
                IERC20Permit(token).nonces(owner.addr),
                deadline
            )
        );
        bytes32 digest = keccak256(
            abi.encodePacked("\x19\x01", IERC20Permit(token).DOMAIN_SEPARATOR(), structHash)
        );
        return vm.sign(owner.key, digest);
    }
}
