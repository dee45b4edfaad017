// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {PaymentChannels} from "../src/PaymentChannels.sol";
import {ReceiptLog} from "../src/ReceiptLog.sol";
import {IJobEscrow} from "../src/interfaces/IJobEscrow.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {JobEscrow} from "../src/JobEscrow.sol";
import {ProviderRegistry} from "../src/ProviderRegistry.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";
import {EscrowSigner} from "./kit/EscrowSigner.sol";

/// @notice What each call costs as a transaction of its own, base cost and calldata with it, for
/// accounts that have dealt before. The numbers are committed under snapshots/ and checked,
/// and those that were promised hold.
/// forge-config: default.isolate = true
contract GasTest is PermitSigner, EscrowSigner {
    uint64 private constant DEADLINE = uint64(START_SECONDS + 1 days);
    // What the market promises that settling costs at most.
    uint256 private constant CLAIM_MOST = 41_000;
    uint256 private constant CLAIM_OF_THIRTY_MOST = 15_800;
    uint256 private constant ANSWER_MOST = 1700;
    bytes32 private constant JOB = keccak256("job");
    bytes32 private constant ROOT = keccak256("root");

    DevToken private token;
    JobEscrow private escrow;
    ProviderRegistry private registry;
    PaymentChannels private channels;
    bytes32 private domain;
    Account private requester;
    Account private provider;
    Account private referee;

    function setUp() public {
        vm.warp(START_SECONDS);
        requester = newAccount("requester");
        provider = newAccount("provider");
        referee = newAccount("referee");
        token = new DevToken(requester.addr, 1_000_000e6);
        escrow = new JobEscrow(token, 1 hours, 1 days, address(0), 0, address(0));
        registry = new ProviderRegistry(token, 7 days, referee.addr);
        channels = new PaymentChannels(1 hours, 0, address(0));
        domain = domainOf(block.chainid, address(channels));
        vm.prank(requester.addr);
        token.transfer(provider.addr, 1000e6);
        vm.prank(requester.addr);
        token.approve(address(escrow), type(uint256).max);
        vm.prank(requester.addr);
        token.approve(address(channels), type(uint256).max);
        vm.prank(provider.addr);
        token.approve(address(registry), type(uint256).max);
        // Slots that are written once for ever are written here: token balances and permit nonces.
        vm.prank(requester.addr);
        escrow.fund("first", provider.addr, 1, DEADLINE, 1);
        vm.prank(provider.addr);
        registry.stake(1);
        vm.prank(requester.addr);
        channels.deposit(address(token), 1000e6);
        _open(requester, 0, 1e6);
        channels.redeemOne(provider.addr, address(token), _claim(requester, 0, 1));
        _permit(requester, address(escrow), 0);
        _permit(provider, address(registry), 0);
    }

    function test_gas_ofASettledJob() public {
        uint256 total;
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, 5e6, DEADLINE, 1);
        total += vm.snapshotGasLastCall("JobEscrow", "fund");
        vm.prank(provider.addr);
        escrow.accept(requester.addr, JOB);
        total += vm.snapshotGasLastCall("JobEscrow", "accept");
        vm.prank(provider.addr);
        escrow.submitProof(requester.addr, JOB, 1, ROOT, 3e6);
        total += vm.snapshotGasLastCall("JobEscrow", "submitProof");
        vm.prank(requester.addr);
        escrow.release(requester.addr, JOB, 1);
        total += vm.snapshotGasLastCall("JobEscrow", "release");
        vm.snapshotValue("JobEscrow", "settled job (fund, accept, submitProof, release)", total);
    }

    /// @dev The shortest way: each side signs once, and sends one transaction.
    function test_gas_ofAJobSettledBySignatures() public {
        bytes memory acceptance = signAcceptance(
            provider.key, address(escrow), JOB, requester.addr, provider.addr, 5e6, DEADLINE, 1
        );
        bytes memory approval =
            signApproval(requester.key, address(escrow), JOB, provider.addr, 1, ROOT, 3e6);
        vm.prank(requester.addr);
        escrow.fundAccepted(JOB, provider.addr, 5e6, DEADLINE, 1, acceptance);
        uint256 total = vm.snapshotGasLastCall("JobEscrow", "fundAccepted");
        vm.prank(provider.addr);
        escrow.settle(requester.addr, JOB, 1, ROOT, 3e6, approval);
        total += vm.snapshotGasLastCall("JobEscrow", "settle");
        vm.snapshotValue("JobEscrow", "job by signatures (fundAccepted, settle)", total);
    }

    function test_gas_ofFundWithPermit() public {
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(requester, address(token), address(escrow), 5e6, DEADLINE);
        vm.prank(requester.addr);
        escrow.fundWithPermit(
            JOB, provider.addr, 5e6, DEADLINE, 1, IJobEscrow.Permit(DEADLINE, v, r, s)
        );
        vm.snapshotGasLastCall("JobEscrow", "fundWithPermit");
    }

    function test_gas_ofDecline() public {
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, 5e6, DEADLINE, 1);
        vm.prank(provider.addr);
        escrow.decline(requester.addr, JOB);
        vm.snapshotGasLastCall("JobEscrow", "decline");
    }

    function test_gas_ofRefund() public {
        vm.prank(requester.addr);
        escrow.fund(JOB, provider.addr, 5e6, DEADLINE, 1);
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

    function test_gas_ofAnchoringAndBinding() public {
        ReceiptLog log = new ReceiptLog();
        vm.prank(provider.addr);
        log.anchor(ROOT);
        vm.snapshotGasLastCall("ReceiptLog", "anchor");
        vm.prank(provider.addr);
        registry.bindPeer(new bytes(38), abi.encode(ROOT, JOB));
        vm.snapshotGasLastCall("ProviderRegistry", "bindPeer");
    }

    function test_gas_ofStakeWithPermit() public {
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(provider, address(token), address(registry), 100e6, DEADLINE);
        vm.prank(provider.addr);
        registry.stakeWithPermit(100e6, DEADLINE, v, r, s);
        vm.snapshotGasLastCall("ProviderRegistry", "stakeWithPermit");
    }

    // Channels: what a provider sends, for payers with addresses and roots that look like real ones.

    function test_gas_ofAChannel() public {
        IPaymentChannels.Terms memory terms = _terms(requester, 1);
        vm.startPrank(requester.addr);
        channels.deposit(address(token), 5e6);
        vm.snapshotGasLastCall("PaymentChannels", "deposit");
        channels.open(terms, 5e6);
        vm.snapshotGasLastCall("PaymentChannels", "open");
        channels.topUp(terms, 5e6);
        vm.snapshotGasLastCall("PaymentChannels", "topUp");
        vm.startPrank(provider.addr);
        channels.redeemOne(provider.addr, address(token), _claim(requester, 1, 12_345));
        vm.snapshotGasLastCall("PaymentChannels", "redeemOne, the channel's first");
        channels.redeemOne(provider.addr, address(token), _claim(requester, 1, 2e6));
        uint256 one = vm.snapshotGasLastCall("PaymentChannels", "redeemOne");
        vm.assertLe(one, CLAIM_MOST, "a single claim");
        channels.withdraw(address(token), 1e6, provider.addr);
        vm.snapshotGasLastCall("PaymentChannels", "withdraw");
        vm.startPrank(requester.addr);
        channels.requestClose(terms);
        vm.snapshotGasLastCall("PaymentChannels", "requestClose");
        vm.warp(START_SECONDS + 1 hours);
        channels.close(terms);
        vm.snapshotGasLastCall("PaymentChannels", "close");
    }

    function test_gas_ofBatches() public {
        uint256[5] memory sizes = [uint256(1), 10, 30, 100, 1000];
        for (uint256 i = 0; i < sizes.length; i++) {
            IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](sizes[i]);
            for (uint64 j = 0; j < claims.length; j++) {
                Account memory payer = newAccount(vm.toString(uint256(j)));
                if (i == 0 || j >= sizes[i - 1]) {
                    vm.prank(requester.addr);
                    token.transfer(payer.addr, 1e6);
                    vm.startPrank(payer.addr);
                    token.approve(address(channels), type(uint256).max);
                    channels.deposit(address(token), 1e6);
                    vm.stopPrank();
                    _open(payer, j, 1e6);
                }
                claims[j] = _claim(payer, j, uint96(1e5 * (i + 1)));
            }
            vm.prank(provider.addr);
            channels.redeem(provider.addr, address(token), claims);
            uint256 total = vm.snapshotGasLastCall(
                "PaymentChannels", string.concat("redeem ", vm.toString(sizes[i]))
            );
            vm.snapshotValue(
                "PaymentChannels",
                string.concat("redeem ", vm.toString(sizes[i]), ", each"),
                total / sizes[i]
            );
            if (sizes[i] == 30) vm.assertLe(total, 30 * CLAIM_OF_THIRTY_MOST, "30 claims");
            // A hundred channels with ten answers each.
            if (sizes[i] == 100) vm.assertLe(total, 1000 * ANSWER_MOST, "1,000 answers");
        }
    }

    function _terms(Account memory payer, uint64 salt)
        private
        view
        returns (IPaymentChannels.Terms memory)
    {
        return IPaymentChannels.Terms(payer.addr, payer.addr, provider.addr, address(token), salt);
    }

    function _open(Account memory payer, uint64 salt, uint96 amount) private {
        vm.prank(payer.addr);
        channels.open(_terms(payer, salt), amount);
    }

    function _claim(Account memory payer, uint64 salt, uint96 amount)
        private
        view
        returns (IPaymentChannels.Claim memory)
    {
        bytes32 root = sha256(abi.encode(payer.addr, salt, amount));
        return claimOf(domain, _terms(payer, salt), payer.key, amount, root);
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
