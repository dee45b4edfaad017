// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {JobEscrow} from "../../src/JobEscrow.sol";
import {IJobEscrow} from "../../src/interfaces/IJobEscrow.sol";
import {EscrowSigner} from "../kit/EscrowSigner.sol";
import {RecordingReferee} from "../kit/RecordingReferee.sol";
import {MoodyToken} from "../tokens/MoodyToken.sol";

/// @notice Makes every kind of call on an escrow in any order, right and wrong ones, and keeps a
/// model beside it: who may do what when, and who should have what. A call that succeeds where the
/// model says no, or the other way round, fails the test at once.
/// @dev The token can block accounts, so that payments are deferred as well; in its moods it does
/// that by answering false, keeps a fee of what is funded, which must refuse the funding, and calls
/// the escrow back from within every transfer, of which nothing may come. The handler rules in the
/// referee's name, and the treasury is an account that does nothing else.
contract EscrowHandler is EscrowSigner {
    uint256 public constant ACCOUNTS = 4;
    uint256 public constant JOBS = 4;
    uint256 public constant SUPPLY_EACH = 1_000_000;

    struct Job {
        IJobEscrow.Status status;
        address provider;
        uint8 milestones;
        uint8 proven;
        uint8 paid;
        uint256 amount;
        uint256 amountDue;
        uint256 deadline;
    }

    struct Place {
        address requester;
        address provider;
        bytes32 jobId;
        uint8 number;
        Step step;
    }

    struct Wish {
        address requester;
        bytes32 jobId;
        address provider;
        uint128 amount;
        uint64 deadline;
        uint8 milestones;
        bool signed;
        address signer;
    }

    struct Word {
        address requester;
        bytes32 jobId;
        uint8 number;
        uint256 amountDue;
        address caller;
        address signer;
    }

    struct Step {
        IJobEscrow.MilestoneStatus status;
        uint256 amountDue;
        uint256 since;
    }

    JobEscrow public immutable ESCROW;
    MoodyToken public immutable TOKEN;
    uint256 private immutable CHALLENGE_SECONDS;
    uint64 private constant DISPUTE_SECONDS = 12 hours;
    uint16 private constant FEE_BASIS_POINTS = 250;
    uint8 public constant MILESTONES = 3;
    bytes32 private constant ROOT = keccak256("root");
    address public immutable TREASURY;
    RecordingReferee public immutable REFEREE;

    address[] public accounts;
    mapping(address requester => mapping(bytes32 jobId => Job)) private jobs;
    mapping(address requester => mapping(bytes32 jobId => mapping(uint8 number => Step))) private
        steps;
    mapping(address account => uint256) private keys;
    mapping(address account => uint256) public expectedBalance;
    mapping(address account => uint256) public expectedDeferred;
    uint256 public donated;

    /// @notice How often each call went through, which shows that the walk gets everywhere.
    mapping(string call => uint256) public succeeded;

    /// @notice What the contract said of each job after the call before.
    mapping(address requester => mapping(bytes32 jobId => IJobEscrow.Escrow)) private seen;

    uint256 private clock = START_SECONDS;

    /// @dev Around every call: nothing that a job counts is ever less than before.
    modifier onlyGrowing() {
        _;
        for (uint256 i = 0; i < ACCOUNTS * JOBS; i++) {
            address requester = accounts[i / JOBS];
            bytes32 jobId = jobIdOf(i % JOBS);
            IJobEscrow.Escrow memory held = ESCROW.escrowOf(requester, jobId);
            IJobEscrow.Escrow memory before = seen[requester][jobId];
            vm.assertLe(uint256(before.status), uint256(held.status), "a job goes on, never back");
            vm.assertLe(before.amountDue, held.amountDue, "what is due only grows");
            vm.assertLe(before.proven, held.proven, "proven milestones stay proven");
            vm.assertLe(before.paid, held.paid, "paid milestones stay paid");
            if (before.status != IJobEscrow.Status.None) {
                vm.assertEq(before.amount, held.amount, "the price stays");
                vm.assertEq(before.provider, held.provider, "the provider stays");
            }
            seen[requester][jobId] = held;
        }
    }

    constructor(uint64 challengeSeconds) {
        vm.warp(clock);
        CHALLENGE_SECONDS = challengeSeconds;
        TOKEN = new MoodyToken(address(this), (ACCOUNTS + 1) * SUPPLY_EACH);
        TREASURY = newAccount("treasury").addr;
        REFEREE = new RecordingReferee();
        ESCROW = new JobEscrow(
            TOKEN, challengeSeconds, DISPUTE_SECONDS, address(REFEREE), FEE_BASIS_POINTS, TREASURY
        );
        string[4] memory names = ["ada", "ben", "cleo", "dan"];
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            Account memory known = newAccount(names[i]);
            address account = known.addr;
            keys[account] = known.key;
            accounts.push(account);
            TOKEN.transfer(account, SUPPLY_EACH);
            expectedBalance[account] = SUPPLY_EACH;
            vm.prank(account);
            TOKEN.approve(address(ESCROW), type(uint256).max);
        }
    }

    // What may happen.

    /// @dev One in three is accepted by the provider's signature, of those some by a wrong one.
    function fund(
        uint256 requesterSeed,
        uint256 jobSeed,
        uint256 providerSeed,
        uint256 amount,
        uint256 lifetimeSeconds
    ) external onlyGrowing {
        Wish memory wish;
        wish.requester = _account(requesterSeed);
        wish.jobId = jobIdOf(jobSeed % JOBS);
        wish.provider = _account(providerSeed);
        // forge-lint: disable-next-line(unsafe-typecast)
        wish.amount = uint128(bound(amount, 0, SUPPLY_EACH / 2));
        wish.deadline = uint64(clock + bound(lifetimeSeconds, 0, 3 days));
        wish.milestones = uint8(bound(jobSeed, 0, MILESTONES + 1));
        if (wish.milestones > MILESTONES) wish.milestones = 65;
        wish.signed = jobSeed % 3 == 0;
        wish.signer = jobSeed % 15 == 0 ? _account(providerSeed + 1) : wish.provider;

        string memory name = wish.signed ? "fundAccepted" : "fund";
        bool allowed = _mayFund(wish);
        if (TOKEN.keepsFee()) succeeded["fund with a fee"]++;
        _call(wish.requester, _fundCall(wish), allowed, name);
        if (!allowed) return;
        Job storage job = jobs[wish.requester][wish.jobId];
        job.status = wish.signed ? IJobEscrow.Status.Accepted : IJobEscrow.Status.Funded;
        job.provider = wish.provider;
        job.milestones = wish.milestones;
        job.amount = wish.amount;
        job.deadline = wish.deadline;
        expectedBalance[wish.requester] -= wish.amount;
    }

    function accept(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed)
        external
        onlyGrowing
    {
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
    ) external onlyGrowing {
        (address requester, bytes32 jobId, Job storage job) =
            _job(IJobEscrow.Status.Accepted, requesterSeed, jobSeed);
        address caller = _mostly(job.provider, callerSeed);
        uint8 number = _number(job.proven + 1, callerSeed);
        amountDue = _dueOf(job, amountDue);
        bool allowed = caller == job.provider && _mayProve(job, number, amountDue);
        _call(
            caller,
            abi.encodeCall(
                IJobEscrow.submitProof,
                // forge-lint: disable-next-line(unsafe-typecast)
                (requester, jobId, number, ROOT, uint128(amountDue))
            ),
            allowed,
            "submitProof"
        );
        if (!allowed) return;
        _expectProven(job, number, amountDue);
        steps[requester][jobId][number] = Step(IJobEscrow.MilestoneStatus.Proven, amountDue, clock);
    }

    function release(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed)
        external
        onlyGrowing
    {
        (address requester, bytes32 jobId, uint8 number) =
            _step(IJobEscrow.MilestoneStatus.Proven, requesterSeed, jobSeed);
        Step storage step = steps[requester][jobId][number];
        address caller = _mostly(requester, callerSeed);
        bool allowed = step.status == IJobEscrow.MilestoneStatus.Proven
            && (caller == requester || clock >= step.since + CHALLENGE_SECONDS);
        _call(
            caller,
            abi.encodeCall(IJobEscrow.release, (requester, jobId, number)),
            allowed,
            "release"
        );
        if (!allowed) return;
        step.status = IJobEscrow.MilestoneStatus.Paid;
        _expectPaid(requester, jobId, step.amountDue, 0);
    }

    /// @dev Of one that is proven, or of the next; with the requester's signature or another's.
    function settle(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed, uint256 amountDue)
        external
        onlyGrowing
    {
        Word memory word;
        (word.requester, word.jobId, word.number) =
            _step(IJobEscrow.MilestoneStatus.Proven, requesterSeed, jobSeed);
        if (callerSeed % 2 == 0) {
            (word.requester, word.jobId,) = _job(IJobEscrow.Status.Accepted, requesterSeed, jobSeed);
            word.number = _number(jobs[word.requester][word.jobId].proven + 1, callerSeed / 2);
        }
        Job storage job = jobs[word.requester][word.jobId];
        Step storage step = steps[word.requester][word.jobId][word.number];
        bool proven = step.status == IJobEscrow.MilestoneStatus.Proven;
        word.amountDue = proven && callerSeed % 3 != 0 ? step.amountDue : _dueOf(job, amountDue);
        word.caller = _mostly(job.provider, callerSeed / 7);
        word.signer = _mostly(word.requester, callerSeed / 11);

        bool allowed = _maySettle(word, job, step);
        _call(word.caller, _settleCall(word, job.provider), allowed, "settle");
        if (!allowed) return;
        if (proven) step.status = IJobEscrow.MilestoneStatus.Paid;
        else _expectProven(job, word.number, word.amountDue);
        _expectPaid(word.requester, word.jobId, word.amountDue, 0);
    }

    function dispute(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed)
        external
        onlyGrowing
    {
        (address requester, bytes32 jobId, uint8 number) =
            _step(IJobEscrow.MilestoneStatus.Proven, requesterSeed, jobSeed);
        address caller = _mostly(requester, callerSeed);
        // The caller's own job of that id is meant, whoever it is.
        Step storage step = steps[caller][jobId][number];
        bool allowed = step.status == IJobEscrow.MilestoneStatus.Proven
            && clock < step.since + CHALLENGE_SECONDS;
        uint256 heard = REFEREE.heard();
        _call(caller, abi.encodeCall(IJobEscrow.dispute, (jobId, number)), allowed, "dispute");
        vm.assertEq(REFEREE.heard(), allowed ? heard + 1 : heard, "the referee was told");
        if (!allowed) return;
        step.status = IJobEscrow.MilestoneStatus.Disputed;
        step.since = clock;
    }

    function rule(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed, uint256 amountPaid)
        external
        onlyGrowing
    {
        (address requester, bytes32 jobId, uint8 number) =
            _step(IJobEscrow.MilestoneStatus.Disputed, requesterSeed, jobSeed);
        Step storage step = steps[requester][jobId][number];
        address caller = _mostly(address(REFEREE), callerSeed);
        amountPaid = bound(amountPaid, 0, step.amountDue + step.amountDue / 4);
        bool allowed = caller == address(REFEREE)
            && step.status == IJobEscrow.MilestoneStatus.Disputed
            && clock < step.since + DISPUTE_SECONDS && amountPaid <= step.amountDue;
        _call(
            caller,
            abi.encodeCall(
                IJobEscrow.rule,
                // forge-lint: disable-next-line(unsafe-typecast)
                (requester, jobId, number, uint128(amountPaid))
            ),
            allowed,
            "rule"
        );
        if (!allowed) return;
        step.status = IJobEscrow.MilestoneStatus.Paid;
        _expectPaid(requester, jobId, amountPaid, step.amountDue - amountPaid);
    }

    function expireDispute(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed)
        external
        onlyGrowing
    {
        (address requester, bytes32 jobId, uint8 number) =
            _step(IJobEscrow.MilestoneStatus.Disputed, requesterSeed, jobSeed);
        Step storage step = steps[requester][jobId][number];
        bool allowed = step.status == IJobEscrow.MilestoneStatus.Disputed
            && clock >= step.since + DISPUTE_SECONDS;
        _call(
            _account(callerSeed),
            abi.encodeCall(IJobEscrow.expireDispute, (requester, jobId, number)),
            allowed,
            "expireDispute"
        );
        if (!allowed) return;
        step.status = IJobEscrow.MilestoneStatus.Paid;
        _expectPaid(requester, jobId, 0, step.amountDue);
    }

    function refund(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed)
        external
        onlyGrowing
    {
        (address requester, bytes32 jobId, Job storage job) = _job(
            callerSeed % 2 == 0 ? IJobEscrow.Status.Funded : IJobEscrow.Status.Accepted,
            requesterSeed,
            jobSeed
        );
        bool allowed = isUnproven(requester, jobId) && clock >= job.deadline
            && (!TOKEN.blocked(requester) || job.amount == job.amountDue);
        _call(
            _account(callerSeed),
            abi.encodeCall(IJobEscrow.refund, (requester, jobId)),
            allowed,
            "refund"
        );
        if (allowed) _expectRefund(requester, job);
    }

    function decline(uint256 callerSeed, uint256 requesterSeed, uint256 jobSeed)
        external
        onlyGrowing
    {
        (address requester, bytes32 jobId, Job storage job) = _job(
            callerSeed % 2 == 0 ? IJobEscrow.Status.Funded : IJobEscrow.Status.Accepted,
            requesterSeed,
            jobSeed
        );
        address caller = _mostly(job.provider, callerSeed);
        // One in four of the calls is made, since each ends a job that others could go on with.
        if (callerSeed % 16 > 3) return;
        bool allowed = caller == job.provider && isUnproven(requester, jobId)
            && (!TOKEN.blocked(requester) || job.amount == job.amountDue);
        _call(caller, abi.encodeCall(IJobEscrow.decline, (requester, jobId)), allowed, "decline");
        if (allowed) _expectRefund(requester, job);
    }

    function collect(uint256 callerSeed, uint256 accountSeed) external onlyGrowing {
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

    /// @dev What the token calls back is open to anybody at some time, or would be the provider's or
    /// the requester's to do.
    function mood(uint256 seed, uint256 requesterSeed, uint256 jobSeed) external {
        (address requester, bytes32 jobId, uint8 number) =
            _step(IJobEscrow.MilestoneStatus.Proven, requesterSeed, jobSeed);
        bytes[] memory calls = new bytes[](seed % 3 == 0 ? 6 : 0);
        if (calls.length > 0) {
            calls[0] = abi.encodeCall(IJobEscrow.release, (requester, jobId, number));
            calls[1] = abi.encodeCall(IJobEscrow.expireDispute, (requester, jobId, number));
            calls[2] = abi.encodeCall(IJobEscrow.refund, (requester, jobId));
            calls[3] = abi.encodeCall(IJobEscrow.collect, (requester));
            calls[4] = abi.encodeCall(IJobEscrow.collect, (jobs[requester][jobId].provider));
            calls[5] = abi.encodeCall(IJobEscrow.collect, (TREASURY));
        }
        TOKEN.setMood(seed % 2 == 0, seed % 5 == 0, address(ESCROW), calls);
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

    /// @notice The milestones that stand so.
    function placesOf(IJobEscrow.MilestoneStatus status)
        external
        view
        returns (Place[] memory places)
    {
        places = new Place[](ACCOUNTS * JOBS * MILESTONES);
        uint256 count;
        for (uint256 i = 0; i < places.length; i++) {
            address requester = accounts[i / MILESTONES / JOBS];
            bytes32 jobId = jobIdOf(i / MILESTONES % JOBS);
            uint8 number = uint8(i % MILESTONES + 1);
            Step memory step = steps[requester][jobId][number];
            if (step.status != status) continue;
            places[count++] = Place(requester, jobs[requester][jobId].provider, jobId, number, step);
        }
        assembly ("memory-safe") {
            mstore(places, count)
        }
    }

    function isUnproven(address requester, bytes32 jobId) public view returns (bool) {
        IJobEscrow.Status status = jobs[requester][jobId].status;
        return status == IJobEscrow.Status.Funded || status == IJobEscrow.Status.Accepted;
    }

    /// @notice What the escrow owes by the model: what unfinished jobs have not been asked for, what
    /// proven milestones ask for, and deferred pay.
    function owed() external view returns (uint256 sum) {
        sum = expectedDeferred[TREASURY];
        for (uint256 a = 0; a < ACCOUNTS; a++) {
            sum += expectedDeferred[accounts[a]];
            for (uint256 j = 0; j < JOBS; j++) {
                bytes32 jobId = jobIdOf(j);
                Job storage job = jobs[accounts[a]][jobId];
                if (isUnproven(accounts[a], jobId) || job.status == IJobEscrow.Status.Proven) {
                    sum += job.amount - job.amountDue;
                }
                for (uint8 n = 1; n <= MILESTONES; n++) {
                    Step storage step = steps[accounts[a]][jobId][n];
                    if (
                        step.status == IJobEscrow.MilestoneStatus.Proven
                            || step.status == IJobEscrow.MilestoneStatus.Disputed
                    ) sum += step.amountDue;
                }
            }
        }
    }

    function _mayFund(Wish memory wish) private view returns (bool) {
        bool wellFormed = wish.amount > 0 && wish.deadline > clock && wish.milestones > 0
            && wish.milestones <= MILESTONES;
        bool covered =
            expectedBalance[wish.requester] >= wish.amount && !TOKEN.blocked(wish.requester);
        return jobs[wish.requester][wish.jobId].status == IJobEscrow.Status.None && wellFormed
            && covered && !TOKEN.keepsFee() && (!wish.signed || wish.signer == wish.provider);
    }

    function _fundCall(Wish memory wish) private view returns (bytes memory) {
        if (!wish.signed) {
            return abi.encodeCall(
                IJobEscrow.fund,
                (wish.jobId, wish.provider, wish.amount, wish.deadline, wish.milestones)
            );
        }
        bytes memory acceptance = signAcceptance(
            keys[wish.signer],
            address(ESCROW),
            wish.jobId,
            wish.requester,
            wish.provider,
            wish.amount,
            wish.deadline,
            wish.milestones
        );
        return abi.encodeCall(
            IJobEscrow.fundAccepted,
            (wish.jobId, wish.provider, wish.amount, wish.deadline, wish.milestones, acceptance)
        );
    }

    function _maySettle(Word memory word, Job storage job, Step storage step)
        private
        view
        returns (bool)
    {
        if (word.signer != word.requester) return false;
        if (step.status == IJobEscrow.MilestoneStatus.Proven) {
            return word.amountDue == step.amountDue;
        }
        return step.status == IJobEscrow.MilestoneStatus.None && word.caller == job.provider
            && _mayProve(job, word.number, word.amountDue);
    }

    function _settleCall(Word memory word, address provider) private view returns (bytes memory) {
        bytes memory approval = signApproval(
            keys[word.signer],
            address(ESCROW),
            word.jobId,
            provider,
            word.number,
            ROOT,
            word.amountDue
        );
        return abi.encodeCall(
            IJobEscrow.settle,
            (
                word.requester,
                word.jobId,
                word.number,
                ROOT,
                // forge-lint: disable-next-line(unsafe-typecast)
                uint128(word.amountDue),
                approval
            )
        );
    }

    function feeOf(uint256 amount) public pure returns (uint256) {
        return amount * FEE_BASIS_POINTS / 10_000;
    }

    function _mayProve(Job storage job, uint8 number, uint256 amountDue)
        private
        view
        returns (bool)
    {
        return job.status == IJobEscrow.Status.Accepted && clock < job.deadline
            && number == job.proven + 1
            && job.amountDue + amountDue <= job.amount * number / job.milestones;
    }

    function _expectProven(Job storage job, uint8 number, uint256 amountDue) private {
        job.proven = number;
        job.amountDue += amountDue;
        if (number == job.milestones) job.status = IJobEscrow.Status.Proven;
    }

    function _expectPaid(address requester, bytes32 jobId, uint256 paid, uint256 returned) private {
        Job storage job = jobs[requester][jobId];
        job.paid++;
        if (job.status == IJobEscrow.Status.Proven && job.paid == job.milestones) {
            job.status = IJobEscrow.Status.Released;
            returned += job.amount - job.amountDue;
            succeeded["all milestones"] += job.milestones > 1 ? 1 : 0;
        }
        expectedDeferred[TREASURY] += feeOf(paid);
        _expectPaidOrDeferred(job.provider, paid - feeOf(paid));
        _expectPaidOrDeferred(requester, returned);
    }

    function _expectRefund(address requester, Job storage job) private {
        job.status = IJobEscrow.Status.Refunded;
        expectedBalance[requester] += job.amount - job.amountDue;
        if (job.proven > 0) succeeded["refund of a part"]++;
    }

    /// @dev Something up to a little more than is allowed.
    function _dueOf(Job storage job, uint256 seed) private view returns (uint256) {
        if (job.milestones == 0) return seed % SUPPLY_EACH;
        uint256 most = job.amount * (uint256(job.proven) + 1) / job.milestones;
        uint256 left = most > job.amountDue ? most - job.amountDue : 0;
        return bound(seed, 0, left + 1);
    }

    function _number(uint8 expected, uint256 seed) private pure returns (uint8) {
        return seed % 8 == 5 ? uint8(seed / 8 % 5) : expected;
    }

    /// @dev A milestone that stands at `wanted` where there is one, else any.
    function _step(IJobEscrow.MilestoneStatus wanted, uint256 requesterSeed, uint256 jobSeed)
        private
        view
        returns (address requester, bytes32 jobId, uint8 number)
    {
        for (uint256 i = 0; i < ACCOUNTS * JOBS * MILESTONES && jobSeed % 4 != 3; i++) {
            requester = _account(requesterSeed % ACCOUNTS + i / (JOBS * MILESTONES));
            jobId = jobIdOf((jobSeed % JOBS + i / MILESTONES) % JOBS);
            number = uint8(i % MILESTONES + 1);
            if (steps[requester][jobId][number].status == wanted) {
                return (requester, jobId, number);
            }
        }
        requester = _account(requesterSeed);
        jobId = jobIdOf(jobSeed / 4 % JOBS);
        number = uint8(jobSeed / 16 % (MILESTONES + 2));
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
            if (TOKEN.saysNo()) succeeded["defer by a no"]++;
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
