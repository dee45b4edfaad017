// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PaymentChannels} from "../../src/PaymentChannels.sol";
import {IPaymentChannels} from "../../src/interfaces/IPaymentChannels.sol";
import {VoucherSigner} from "../kit/VoucherSigner.sol";
import {BlockingToken} from "../tokens/BlockingToken.sol";

/// @notice Makes every kind of call on payment channels in any order, right and wrong ones, and keeps
/// a model beside it. A call that succeeds where the model says no, or the other way round, fails
/// the test at once.
/// @dev Three accounts pay each other by two channels each way, in a token and in ether, by their own
/// key or by a session key.
contract ChannelsHandler is VoucherSigner {
    uint256 public constant ACCOUNTS = 3;
    uint256 public constant SALTS = 2;
    uint256 public constant SUPPLY_EACH = 1_000_000;
    uint64 private constant CHALLENGE_SECONDS = 6 hours;
    uint16 private constant FEE_BASIS_POINTS = 250;
    uint40 private constant CLOSED = type(uint40).max;

    struct Model {
        uint256 deposit;
        uint256 redeemed;
        uint256 closesAt;
        // The most that was ever paid by a voucher, which may be above what the channel held.
        uint256 signed;
    }

    PaymentChannels public immutable CHANNELS;
    BlockingToken public immutable TOKEN;
    address public immutable TREASURY;
    bytes32 private immutable DOMAIN;

    address[] public accounts;
    uint256[] private keys;
    Account private session;
    IPaymentChannels.Terms[] private all;
    mapping(bytes32 channel => Model) private models;
    mapping(address account => mapping(address token => uint256)) public expected;
    mapping(address payer => mapping(address token => uint256)) private sessionLeft;
    mapping(address payer => mapping(address token => uint256)) private sessionUntil;
    mapping(address token => uint256) public outside;

    /// @notice What the contract said of each channel after the call before, kept here because forge
    /// takes back what an invariant itself writes down.
    mapping(bytes32 channel => IPaymentChannels.Channel) private seen;

    mapping(string call => uint256) public succeeded;

    uint256 private clock = START_SECONDS;

    /// @dev Around every call: no channel's deposit or redeemed amount is less than before it, none
    /// that closes is open again, and a closed one never changes.
    modifier onlyGrowing() {
        _;
        for (uint256 i = 0; i < all.length; i++) {
            bytes32 id = _id(all[i]);
            IPaymentChannels.Channel memory held = CHANNELS.channelOf(id);
            IPaymentChannels.Channel memory before = seen[id];
            vm.assertLe(before.deposit, held.deposit, "deposits only grow");
            vm.assertLe(before.redeemed, held.redeemed, "what was redeemed only grows");
            vm.assertLe(before.closesAt, held.closesAt, "closing is not taken back");
            if (before.closesAt == CLOSED) {
                vm.assertEq(before.deposit, held.deposit, "nothing goes into a closed channel");
                vm.assertEq(before.redeemed, held.redeemed, "a closed channel pays nothing");
            }
            seen[id] = held;
        }
    }

    constructor() {
        vm.warp(clock);
        TOKEN = new BlockingToken(address(this), (ACCOUNTS + 1) * SUPPLY_EACH);
        TREASURY = newAccount("treasury").addr;
        CHANNELS = new PaymentChannels(CHALLENGE_SECONDS, FEE_BASIS_POINTS, TREASURY);
        DOMAIN = domainOf(block.chainid, address(CHANNELS));
        session = newAccount("session");
        string[3] memory names = ["ada", "ben", "cleo"];
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            Account memory account = newAccount(names[i]);
            accounts.push(account.addr);
            keys.push(account.key);
            TOKEN.transfer(account.addr, SUPPLY_EACH);
            vm.deal(account.addr, SUPPLY_EACH);
            vm.prank(account.addr);
            TOKEN.approve(address(CHANNELS), type(uint256).max);
        }
        for (uint64 i = 0; i < ACCOUNTS * ACCOUNTS * SALTS * 2; i++) {
            address payer = accounts[i % ACCOUNTS];
            all.push(
                IPaymentChannels.Terms({
                    payer: payer,
                    signer: i % 5 == 0 ? session.addr : payer,
                    payee: accounts[i / ACCOUNTS % ACCOUNTS],
                    token: i % 2 == 0 ? address(TOKEN) : address(0),
                    salt: i
                })
            );
        }
    }

    // What may happen.

    function deposit(uint256 who, uint256 which, uint256 amount) external onlyGrowing {
        address account = accounts[who % ACCOUNTS];
        amount = bound(amount, 0, SUPPLY_EACH / 4);
        address token = _token(which);
        uint256 value = token == address(0) ? amount : 0;
        bool allowed = amount > 0
            && (value > 0
                    ? account.balance >= amount
                    : TOKEN.balanceOf(account) >= amount && !TOKEN.blocked(account));
        if (value > account.balance) return;
        vm.warp(clock);
        vm.prank(account);
        (bool success,) = address(CHANNELS).call{value: value}(
            abi.encodeCall(IPaymentChannels.deposit, (token, amount))
        );
        _check(success, allowed, "deposit");
        if (!allowed) return;
        expected[account][token] += amount;
        outside[token] += amount;
    }

    function withdraw(uint256 who, uint256 which, uint256 amount, uint256 to) external onlyGrowing {
        address account = accounts[who % ACCOUNTS];
        address token = _token(which);
        amount = bound(amount, 0, expected[account][token] + 1);
        address recipient = accounts[to % ACCOUNTS];
        bool allowed = amount > 0 && amount <= expected[account][token]
            && (token == address(0)
                || (!TOKEN.blocked(recipient) && !TOKEN.blocked(address(CHANNELS))));
        _call(
            account,
            abi.encodeCall(IPaymentChannels.withdraw, (token, amount, recipient)),
            allowed,
            "withdraw"
        );
        if (!allowed) return;
        expected[account][token] -= amount;
        outside[token] -= amount;
    }

    function authorise(uint256 who, uint256 which, uint256 limit, uint256 lifetime)
        external
        onlyGrowing
    {
        address payer = accounts[who % ACCOUNTS];
        address token = _token(which);
        limit = bound(limit, 0, SUPPLY_EACH / 2);
        uint256 until = clock + bound(lifetime, 0, 2 days);
        bool allowed = until > clock;
        _call(
            payer,
            abi.encodeCall(
                IPaymentChannels.authorise,
                // forge-lint: disable-next-line(unsafe-typecast)
                (session.addr, token, uint96(limit), uint64(until))
            ),
            allowed,
            "authorise"
        );
        if (!allowed) return;
        sessionLeft[payer][token] = limit;
        sessionUntil[payer][token] = until;
    }

    function revoke(uint256 who, uint256 which) external onlyGrowing {
        if (who % 4 != 0) return;
        address payer = accounts[who / 4 % ACCOUNTS];
        _call(
            payer,
            abi.encodeCall(IPaymentChannels.revoke, (session.addr, _token(which))),
            true,
            "revoke"
        );
        sessionLeft[payer][_token(which)] = 0;
        sessionUntil[payer][_token(which)] = 0;
    }

    function open(uint256 which, uint256 amount, uint256 callerSeed) external onlyGrowing {
        IPaymentChannels.Terms memory terms = all[which % all.length];
        Model storage model = models[_id(terms)];
        address caller = _spender(terms, callerSeed);
        amount = bound(amount, 0, SUPPLY_EACH / 8);
        bool allowed = model.deposit == 0 && _maySpend(caller, terms, amount);
        _call(
            caller,
            // forge-lint: disable-next-line(unsafe-typecast)
            abi.encodeCall(IPaymentChannels.open, (terms, uint96(amount))),
            allowed,
            "open"
        );
        if (!allowed) return;
        _expectSpent(caller, terms, amount);
        model.deposit = amount;
    }

    function topUp(uint256 which, uint256 amount, uint256 callerSeed) external onlyGrowing {
        IPaymentChannels.Terms memory terms = all[which % all.length];
        Model storage model = models[_id(terms)];
        address caller = _spender(terms, callerSeed);
        amount = bound(amount, 0, SUPPLY_EACH / 8);
        bool allowed = model.deposit > 0 && model.closesAt == 0 && _maySpend(caller, terms, amount);
        _call(
            caller,
            // forge-lint: disable-next-line(unsafe-typecast)
            abi.encodeCall(IPaymentChannels.topUp, (terms, uint96(amount))),
            allowed,
            "topUp"
        );
        if (!allowed) return;
        _expectSpent(caller, terms, amount);
        model.deposit += amount;
    }

    /// @dev Older, equal, newer vouchers, some above the deposit, some by a wrong key.
    function redeemOne(uint256 which, uint256 amount, uint256 seed) external onlyGrowing {
        IPaymentChannels.Terms memory terms = all[which % all.length];
        Model storage model = models[_id(terms)];
        amount = bound(amount, 0, model.deposit + model.deposit / 8 + 1);
        bool good = seed % 8 != 0;
        bool allowed = good && _pays(model, amount);
        _call(
            accounts[seed % ACCOUNTS],
            abi.encodeCall(
                IPaymentChannels.redeemOne, (terms.payee, terms.token, _claim(terms, amount, good))
            ),
            allowed,
            "redeemOne"
        );
        if (allowed) _expectRedeemed(terms, model, amount);
    }

    /// @dev A batch over all channels of a payee and token, good and bad together.
    function redeem(uint256 who, uint256 which, uint256 seed) external onlyGrowing {
        address payee = accounts[who % ACCOUNTS];
        address token = _token(which);
        IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](all.length);
        uint256 count;
        uint256 before = expected[payee][token];
        for (uint256 i = 0; i < all.length; i++) {
            IPaymentChannels.Terms memory terms = all[i];
            if (terms.payee != payee || terms.token != token) continue;
            Model storage model = models[_id(terms)];
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            uint256 amount = dice % (model.deposit + 2);
            bool good = dice % 7 != 0;
            claims[count++] = _claim(terms, amount, good);
            if (good && _pays(model, amount)) _expectRedeemed(terms, model, amount);
        }
        assembly ("memory-safe") {
            mstore(claims, count)
        }
        vm.warp(clock);
        uint256 paid = CHANNELS.redeem(payee, token, claims);
        vm.assertEq(paid, expected[payee][token] - before, "paid by the batch");
        if (paid > 0) succeeded["redeem"]++;
    }

    function requestClose(uint256 which, uint256 callerSeed) external onlyGrowing {
        if (callerSeed % 4 != 0) return;
        IPaymentChannels.Terms memory terms = all[which % all.length];
        Model storage model = models[_id(terms)];
        address caller = callerSeed % 3 == 0 ? terms.signer : accounts[callerSeed % ACCOUNTS];
        bool allowed = (caller == terms.payer || caller == terms.signer) && model.deposit > 0
            && model.closesAt == 0;
        _call(
            caller, abi.encodeCall(IPaymentChannels.requestClose, (terms)), allowed, "requestClose"
        );
        if (allowed) model.closesAt = clock + CHALLENGE_SECONDS;
    }

    function close(uint256 which, uint256 callerSeed) external onlyGrowing {
        if (callerSeed % 4 != 0) return;
        IPaymentChannels.Terms memory terms = all[which % all.length];
        Model storage model = models[_id(terms)];
        address caller = accounts[callerSeed / 4 % ACCOUNTS];
        bool live = model.deposit > 0 && model.closesAt != CLOSED;
        bool allowed =
            live && (caller == terms.payee || (model.closesAt != 0 && clock >= model.closesAt));
        _call(caller, abi.encodeCall(IPaymentChannels.close, (terms)), allowed, "close");
        if (!allowed) return;
        model.closesAt = CLOSED;
        expected[terms.payer][terms.token] += model.deposit - model.redeemed;
    }

    function block_(uint256 who, uint256 choice) external {
        TOKEN.setBlocked(accounts[who % ACCOUNTS], choice % 4 == 0);
    }

    function passTime(uint256 elapsedSeconds) external {
        clock += bound(elapsedSeconds, 1, 4 hours);
        vm.warp(clock);
    }

    // What the invariants ask.

    function channels() external view returns (IPaymentChannels.Terms[] memory) {
        return all;
    }

    function modelOf(bytes32 id) external view returns (Model memory) {
        return models[id];
    }

    /// @notice What is owed in a token: balances, and what open channels hold.
    function owed(address token) external view returns (uint256 sum) {
        sum = expected[TREASURY][token];
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            sum += expected[accounts[i]][token];
        }
        for (uint256 i = 0; i < all.length; i++) {
            Model storage model = models[_id(all[i])];
            if (all[i].token == token && model.closesAt != CLOSED) {
                sum += model.deposit - model.redeemed;
            }
        }
    }

    function claimFor(IPaymentChannels.Terms memory terms, uint256 amount)
        external
        view
        returns (IPaymentChannels.Claim memory)
    {
        return _claim(terms, amount, true);
    }

    function _claim(IPaymentChannels.Terms memory terms, uint256 amount, bool good)
        private
        view
        returns (IPaymentChannels.Claim memory)
    {
        uint256 key = session.key;
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            if (accounts[i] == terms.signer) key = keys[i];
        }
        if (!good) key = uint256(keccak256("nobody"));
        return claimOf(DOMAIN, terms, key, amount, keccak256(abi.encode(amount)));
    }

    function _pays(Model storage model, uint256 amount) private view returns (bool) {
        return model.deposit > model.redeemed && amount > model.redeemed && model.closesAt != CLOSED;
    }

    function _expectRedeemed(
        IPaymentChannels.Terms memory terms,
        Model storage model,
        uint256 amount
    ) private {
        uint256 redeemed = amount < model.deposit ? amount : model.deposit;
        uint256 fee =
            redeemed * FEE_BASIS_POINTS / 10_000 - model.redeemed * FEE_BASIS_POINTS / 10_000;
        expected[terms.payee][terms.token] += redeemed - model.redeemed - fee;
        expected[TREASURY][terms.token] += fee;
        model.redeemed = redeemed;
        if (amount > model.signed) model.signed = amount;
    }

    function _maySpend(address caller, IPaymentChannels.Terms memory terms, uint256 amount)
        private
        view
        returns (bool)
    {
        if (amount == 0 || amount > expected[terms.payer][terms.token]) return false;
        if (caller == terms.payer) return true;
        return caller == session.addr && clock < sessionUntil[terms.payer][terms.token]
            && amount <= sessionLeft[terms.payer][terms.token];
    }

    function _expectSpent(address caller, IPaymentChannels.Terms memory terms, uint256 amount)
        private
    {
        expected[terms.payer][terms.token] -= amount;
        if (caller != session.addr) return;
        sessionLeft[terms.payer][terms.token] -= amount;
        succeeded["spent by a session key"]++;
    }

    function _spender(IPaymentChannels.Terms memory terms, uint256 seed)
        private
        view
        returns (address)
    {
        if (seed % 4 == 0) return accounts[seed / 4 % ACCOUNTS];
        return seed % 2 == 0 ? session.addr : terms.payer;
    }

    function _token(uint256 which) private view returns (address) {
        return which % 2 == 0 ? address(TOKEN) : address(0);
    }

    function _id(IPaymentChannels.Terms memory terms) private pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    function _call(address caller, bytes memory data, bool allowed, string memory name) private {
        vm.warp(clock);
        vm.prank(caller);
        (bool success,) = address(CHANNELS).call(data);
        _check(success, allowed, name);
    }

    function _check(bool success, bool allowed, string memory name) private {
        vm.assertEq(success, allowed, name);
        if (success) succeeded[name]++;
    }
}
