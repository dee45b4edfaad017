// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {ProviderRegistry} from "../src/ProviderRegistry.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";

/// @notice What each call costs as a transaction of its own, base cost and calldata with it, for
/// accounts that have dealt before. The numbers are committed under snapshots/ and checked.
/// forge-config: default.isolate = true
contract GasTest is PermitSigner {
    uint64 private constant DEADLINE = uint64(START_SECONDS + 1 days);
    bytes32 private constant JOB = keccak256("job");
    bytes32 private constant ROOT = keccak256("root");

    DevToken private token;
    JobEscrow private escrow;
    ProviderRegistry private registry;
    Account private requester;
    Account private provider;
    Account private referee;

    function setUp() public {
        vm.warp(START_SECONDS);
        requester = newAccount("requester");
        provider = newAccount("provider");
        referee = newAccount("referee");
        token = new DevToken(requester.addr, 1_000_000e6);
        escrow = new JobEscrow(token, 1 hours);
        registry = new ProviderRegistry(token, 7 days, referee.addr);
        vm.prank(requester.addr);
        token.transfer(provider.addr, 1000e6);
        vm.prank(requester.addr);
        token.approve(address(escrow), type(uint256).max);
        vm.prank(provider.addr);
        token.approve(address(registry), type(uint256).max);
        // Slots that are written once for ever are written here: token balances and permit nonces.
        vm.prank(requester.addr);
        escrow.fund("first", provider.addr, 1, DEADLINE);
        vm.prank(provider.addr);
        registry.stake(1);
        _permit(requester, address(escrow), 0);
        _permit(provider, address(registry), 0);
    }

    function test_gas_ofASettledJob() public {
        uint256 total;
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, 5e6, DEADLINE);
        total += vm.snapshotGasLastCall("JobEscrow", "fund");
        vm.prank(provider.addr);
        escrow.accept(requester.addr, JOB);
        total += vm.snapshotGasLastCall("JobEscrow", "accept");
        vm.prank(provider.addr);
        escrow.submitProof(requester.addr, JOB, ROOT, 3e6);
        total += vm.snapshotGasLastCall("JobEscrow", "submitProof");
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB);
        total += vm.snapshotGasLastCall("JobEscrow", "release");
        vm.snapshotValue("JobEscrow", "settled job (fund, accept, submitProof, release)", total);
    }

    function test_gas_ofFundWithPermit() public {
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(requester, address(token), address(escrow), 5e6, DEADLINE);
        vm.prank(requester.addr);
        escrow.fundWithPermit(JOB, provider.addr, 5e6, DEADLINE, DEADLINE, v, r, s);
        vm.snapshotGasLastCall("JobEscrow", "fundWithPermit");
    }

    function test_gas_ofDecline() public {
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, 5e6, DEADLINE);
        vm.prank(provider.addr);
        escrow.decline(requester.addr, JOB);
        vm.snapshotGasLastCall("JobEscrow", "decline");
    }

    function test_gas_ofRefund() public {
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, 5e6, DEADLINE);
        vm.warp(DEADLINE);
        vm.prank(requester.addr);
        escrow.refund(requester.addr, JOB);
        vm.snapshotGasLastCall("JobEscrow", "refund");
    }

    function test_gas_ofStaking() public {
        vm.prank(provider.addr);
        registry.stake(100e6);
        vm.snapshotGasLastCall("ProviderRegistry", "stake");
        vm.prank(provider.addr);
        registry.requestUnbond(50e6);
        vm.snapshotGasLastCall("ProviderRegistry", "requestUnbond");
        vm.prank(referee.addr);
        registry.slash(provider.addr, 10e6, requester.addr);
        vm.snapshotGasLastCall("ProviderRegistry", "slash");
        vm.warp(START_SECONDS + 7 days);
        vm.prank(provider.addr);
        registry.withdraw();
        vm.snapshotGasLastCall("ProviderRegistry", "withdraw");
    }

    function test_gas_ofStakeWithPermit() public {
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(provider, address(token), address(registry), 100e6, DEADLINE);
        vm.prank(provider.addr);
        registry.stakeWithPermit(100e6, DEADLINE, v, r, s);
        vm.snapshotGasLastCall("ProviderRegistry", "stakeWithPermit");
    }

    /// @dev A permit of zero, which leaves the allowance at zero and a nonce behind.
    function _permit(Account memory owner, address spender, uint256 value) private {
        uint256 allowance = token.allowance(owner.addr, spender);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(owner, address(token), spender, value, DEADLINE);
        token.permit(owner.addr, spender, value, DEADLINE, v, r, s);
        vm.prank(owner.addr);
        token.approve(spender, allowance);
    }
}
