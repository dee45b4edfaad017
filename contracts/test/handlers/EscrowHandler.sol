// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobEscrow} from "../../src/JobEscrow.sol";
import {IJobEscrow} from "../../src/interfaces/IJobEscrow.sol";
import {ForgeTest} from "../kit/ForgeTest.sol";
import {BlockingToken} from "../tokens/BlockingToken.sol";

/// @notice Makes every kind of call on an escrow in any order, right and wrong ones, and keeps a
/// model beside it: who may do what when, and who should have what. A call that succeeds where the
/// model says no, or the other way round, fails the test at once.
/// @dev The token can block accounts, so that payments are deferred as well.
contract EscrowHandler is ForgeTest {
    uint256 public constant ACCOUNTS = 4;
    uint256 public constant JOBS = 4;
    uint256 public constant SUPPLY_EACH = 1_000_000;

    struct Job {
        IJobEscrow.Status status;
        address provider;
        uint256 amount;
        uint256 amountDue;
        uint256 deadline;
        uint256 provenAt;
    }

    JobEscrow public immutable ESCROW;
    BlockingToken public immutable TOKEN;
    uint256 private immutable CHALLENGE_SECONDS;

    address[] public accounts;
    mapping(address requester => mapping(bytes32 jobId => Job)) private jobs;
    mapping(address account => uint256) public expectedBalance;
    mapping(address account => uint256) public expectedDeferred;
    uint256 public donated;

    /// @notice How often each call went through, which shows that the walk gets everywhere.
    mapping(string call => uint256) public succeeded;

    uint256 private clock = START_SECONDS;

    constructor(uint64 challengeSeconds) {
        vm.warp(clock);
        CHALLENGE_SECONDS = challengeSeconds;
        TOKEN = new BlockingToken(address(this), (ACCOUNTS + 1) * SUPPLY_EACH);
        ESCROW = new JobEscrow(TOKEN, challengeSeconds);
        string[4] memory names = ["ada", "ben", "cleo", "dan"];
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            address account = newAccount(names[i]).addr;
            accounts.push(account);
            TOKEN.transfer(account, SUPPLY_EACH);
            expectedBalance[account] = SUPPLY_EACH;
            vm.prank(account);
            TOKEN.approve(address(ESCROW), type(uint256).max);
        }
    }

    // What may happen.

    function fund(
        uint256 requesterSeed,
        uint256 jobSeed,
        uint256 providerSeed,
        uint256 amount,
        uint256 lifetimeSeconds
    ) external {
        address requester = _account(requesterSeed);
        bytes32 jobId = jobIdOf(jobSeed % JOBS);
        address provider = _account(providerSeed);
        amount = bound(amount, 0, SUPPLY_EACH / 2);
        uint256 deadline = clock + bound(lifetimeSeconds, 0, 3 days);
        Job storage job = jobs[requester][jobId];

        bool allowed = job.status == IJobEscrow.Status.None && amount > 0 && deadline > clock
            && expectedBalance[requester] >= amount && !TOKEN.blocked(requester);
        _call(
            requester,
            abi.encodeCall(
                IJobEscrow.fund,
                // forge-lint: disable-next-line(unsafe-typecast)
                (jobId, provider, uint128(amount), uint64(deadline))
            ),
            allowed,
            "fund"
        );
        if (!allowed) return;
        job.status = IJobEscrow.Status.Funded;
        job.provider = provider;
        job.amount = amount;
        job.deadline = deadline;
        expectedBalance[requester] -= amount;
    }

    function accept(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed) external {
        (address requester, bytes32 jobId, Job storage job) =
            _job(IJobEscrow.Status.Funded, requesterSeed, jobSeed);
        address caller = _mostly(job.provider, callerSeed);
        bool allowed = caller == job.provider && job.status == IJobEscrow.Status.Funded
            && clock < job.deadline;
        _call(caller, abi.encodeCall(IJobEscrow.accept, (requester, jobId)), allowed, "accept");
        if (allowed) job.status = IJobEscrow.Status.Accepted;
    }

    function submitProof(
        uint256 callerSeed,
        uint256 requesterSeed,
        uint256 jobSeed,
        uint256 amountDue
    ) external {
        (address requester, bytes32 jobId, Job storage job) =
            _job(IJobEscrow.Status.Accepted, requesterSeed, jobSeed);
        address caller = _mostly(job.provider, callerSeed);
        amountDue = bound(amountDue, 0, job.amount + 1);
        bool allowed = caller == job.provider && job.status == IJobEscrow.Status.Accepted
            && clock < job.deadline && amountDue <= job.amount;
        _call(
            caller,
            abi.encodeCall(
                IJobEscrow.submitProof,
                // forge-lint: disable-next-line(unsafe-typecast)
                (requester, jobId, keccak256("root"), uint128(amountDue))
            ),
            allowed,
            "submitProof"
        );
        if (!allowed) return;
        job.status = IJobEscrow.Status.Proven;
        job.amountDue = amountDue;
        job.provenAt = clock;
    }

    function release(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed) external {
        (address requester, bytes32 jobId, Job storage job) =
            _job(IJobEscrow.Status.Proven, requesterSeed, jobSeed);
        address caller = _mostly(requester, callerSeed);
        bool allowed = job.status == IJobEscrow.Status.Proven
            && (caller == requester || clock >= job.provenAt + CHALLENGE_SECONDS);
        _call(caller, abi.encodeCall(IJobEscrow.release, (requester, jobId)), allowed, "release");
        if (!allowed) return;
        job.status = IJobEscrow.Status.Released;
        _expectPaidOrDeferred(job.provider, job.amountDue);
        _expectPaidOrDeferred(requester, job.amount - job.amountDue);
    }

    function refund(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed) external {
        (address requester, bytes32 jobId, Job storage job) = _job(
            callerSeed % 2 == 0 ? IJobEscrow.Status.Funded : IJobEscrow.Status.Accepted,
            requesterSeed,
            jobSeed
        );
        bool allowed =
            isUnproven(requester, jobId) && clock >= job.deadline && !TOKEN.blocked(requester);
        _call(
            _account(callerSeed),
            abi.encodeCall(IJobEscrow.refund, (requester, jobId)),
            allowed,
            "refund"
        );
        if (!allowed) return;
        job.status = IJobEscrow.Status.Refunded;
        expectedBalance[requester] += job.amount;
    }

    function decline(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed) external {
        (address requester, bytes32 jobId, Job storage job) = _job(
            callerSeed % 2 == 0 ? IJobEscrow.Status.Funded : IJobEscrow.Status.Accepted,
            requesterSeed,
            jobSeed
        );
        address caller = _mostly(job.provider, callerSeed);
        // One in four of the calls is made, since each ends a job that others could go on with.
        if (callerSeed % 16 > 3) return;
        bool allowed =
            caller == job.provider && isUnproven(requester, jobId) && !TOKEN.blocked(requester);
        _call(caller, abi.encodeCall(IJobEscrow.decline, (requester, jobId)), allowed, "decline");
        if (!allowed) return;
        job.status = IJobEscrow.Status.Refunded;
        expectedBalance[requester] += job.amount;
    }

    function collect(uint256 callerSeed, uint256 accountSeed) external {
        address account = _account(accountSeed);
        for (uint256 i = 0; i < ACCOUNTS && expectedDeferred[account] == 0; i++) {
            account = _account(accountSeed % ACCOUNTS + i);
        }
        bool allowed = expectedDeferred[account] > 0 && !TOKEN.blocked(account);
        _call(
            _account(callerSeed), abi.encodeCall(IJobEscrow.collect, (account)), allowed, "collect"
        );
        if (!allowed) return;
        expectedBalance[account] += expectedDeferred[account];
        expectedDeferred[account] = 0;
    }

    function block_(uint256 accountSeed, uint256 choice) external {
        TOKEN.setBlocked(_account(accountSeed), choice % 3 == 0);
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 0, 100);
        if (amount > TOKEN.balanceOf(address(this))) return;
        TOKEN.transfer(address(ESCROW), amount);
        donated += amount;
    }

    function passTime(uint256 elapsedSeconds) external {
        clock += bound(elapsedSeconds, 1, 1 days);
        vm.warp(clock);
    }

    // What the invariants ask.

    function jobIdOf(uint256 index) public pure returns (bytes32) {
        return keccak256(abi.encode("job", index));
    }

    function jobOf(address requester, bytes32 jobId) external view returns (Job memory) {
        return jobs[requester][jobId];
    }

    function isUnproven(address requester, bytes32 jobId) public view returns (bool) {
        IJobEscrow.Status status = jobs[requester][jobId].status;
        return status == IJobEscrow.Status.Funded || status == IJobEscrow.Status.Accepted;
    }

    function isProven(address requester, bytes32 jobId) public view returns (bool) {
        return jobs[requester][jobId].status == IJobEscrow.Status.Proven;
    }

    /// @notice What the escrow owes by the model: the money of unfinished jobs, and deferred pay.
    function owed() external view returns (uint256 sum) {
        for (uint256 a = 0; a < ACCOUNTS; a++) {
            sum += expectedDeferred[accounts[a]];
            for (uint256 j = 0; j < JOBS; j++) {
                bytes32 jobId = jobIdOf(j);
                if (isUnproven(accounts[a], jobId) || isProven(accounts[a], jobId)) {
                    sum += jobs[accounts[a]][jobId].amount;
                }
            }
        }
    }

    function _call(address caller, bytes memory data, bool allowed, string memory name) private {
        vm.warp(clock);
        vm.prank(caller);
        (bool success,) = address(ESCROW).call(data);
        vm.assertEq(success, allowed, name);
        if (success) succeeded[name]++;
    }

    function _expectPaidOrDeferred(address account, uint256 amount) private {
        if (!TOKEN.blocked(account)) {
            expectedBalance[account] += amount;
        } else if (amount > 0) {
            expectedDeferred[account] += amount;
            succeeded["defer"]++;
        }
    }

    /// @dev A job that stands at `wanted` where there is one, three times in four; else any.
    function _job(IJobEscrow.Status wanted, uint256 requesterSeed, uint256 jobSeed)
        private
        view
        returns (address requester, bytes32 jobId, Job storage job)
    {
        for (uint256 i = 0; i < ACCOUNTS * JOBS && jobSeed % 4 != 3; i++) {
            requester = _account(requesterSeed % ACCOUNTS + i / JOBS);
            jobId = jobIdOf((jobSeed % JOBS + i) % JOBS);
            if (jobs[requester][jobId].status == wanted) break;
        }
        if (jobs[requester][jobId].status != wanted) {
            requester = _account(requesterSeed);
            jobId = jobIdOf(jobSeed / 4 % JOBS);
        }
        job = jobs[requester][jobId];
    }

    function _account(uint256 seed) private view returns (address) {
        return accounts[seed % ACCOUNTS];
    }

    /// @dev The account that may, three times in four, else any: a walk of wrong calls gets nowhere.
    function _mostly(address expected, uint256 seed) private view returns (address) {
        return expected != address(0) && seed % 4 != 3 ? expected : _account(seed / 4);
    }
}
