// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../../src/DevToken.sol";
import {PaymentChannels} from "../../src/PaymentChannels.sol";
import {IPaymentChannels} from "../../src/interfaces/IPaymentChannels.sol";
import {VoucherSigner} from "../kit/VoucherSigner.sol";
import {ChaosToken} from "../tokens/ChaosToken.sol";

/// @notice An honest payer and payee deal in an honest token and in ether, while another account and
/// a token that it wrote try everything that they can against them, also from within the token.
contract HostileChannelsHandler is VoucherSigner {
    uint96 public constant CHANNEL = 1_000_000;
    uint256 public constant HELD = 500;

    PaymentChannels public immutable CHANNELS;
    DevToken public immutable TOKEN;
    ChaosToken public immutable CHAOS;
    address public immutable PAYER;
    address public immutable PAYEE;
    bytes32 private immutable DOMAIN;
    uint256 private immutable PAYER_KEY;
    uint256 private immutable MALLORY_KEY;
    address private immutable MALLORY;

    /// @notice What the honest voucher of each coin has paid so far.
    mapping(address token => uint256) public redeemed;

    mapping(string call => uint256) public succeeded;

    constructor() {
        vm.warp(START_SECONDS);
        Account memory payer = newAccount("payer");
        Account memory mallory = newAccount("mallory");
        PAYER = payer.addr;
        PAYER_KEY = payer.key;
        PAYEE = newAccount("payee").addr;
        MALLORY = mallory.addr;
        MALLORY_KEY = mallory.key;
        TOKEN = new DevToken(PAYER, 2 * uint256(CHANNEL));
        CHAOS = new ChaosToken();
        CHANNELS = new PaymentChannels(1 hours, 0, address(0));
        DOMAIN = domainOf(block.chainid, address(CHANNELS));
        vm.deal(PAYER, uint256(CHANNEL) + HELD);
        vm.startPrank(PAYER);
        TOKEN.approve(address(CHANNELS), type(uint256).max);
        CHANNELS.deposit(address(TOKEN), uint256(CHANNEL) + HELD);
        CHANNELS.deposit{value: uint256(CHANNEL) + HELD}(address(0), uint256(CHANNEL) + HELD);
        CHANNELS.open(honest(address(TOKEN)), CHANNEL);
        CHANNELS.open(honest(address(0)), CHANNEL);
        vm.stopPrank();
    }

    /// @notice The channel that nobody but its own may touch.
    function honest(address token) public view returns (IPaymentChannels.Terms memory) {
        return IPaymentChannels.Terms(PAYER, PAYER, PAYEE, token, 1);
    }

    /// @dev The honest part: a voucher of the payer, handed in.
    function pay(uint256 which, uint256 amount) external {
        address token = which % 2 == 0 ? address(TOKEN) : address(0);
        amount = redeemed[token] + 1 + amount % 100;
        if (amount > CHANNEL) return;
        CHANNELS.redeemOne(PAYEE, token, voucher(token, amount));
        redeemed[token] = amount;
        succeeded["pay"]++;
    }

    function voucher(address token, uint256 amount)
        public
        view
        returns (IPaymentChannels.Claim memory)
    {
        return claimOf(DOMAIN, honest(token), PAYER_KEY, amount, keccak256(abi.encode(amount)));
    }

    /// @dev The bad token is told what to do in its next transfers, and money moves in it.
    function chaos(uint256 what, uint256 moved, uint256 seed, uint96 amount) external {
        bytes[] memory calls = new bytes[](3);
        for (uint256 i = 0; i < calls.length; i++) {
            calls[i] = _attack(uint256(keccak256(abi.encode(seed, i))), address(CHAOS));
        }
        bool saysNo = moved % 5 == 0;
        bool reverts = moved % 7 == 0;
        moved = moved % 3 == 0 ? moved % 200 : 100;
        CHAOS.arm(address(CHANNELS), moved, reverts, saysNo, calls);
        bytes memory data;
        if (what % 4 == 0) {
            data = abi.encodeCall(
                IPaymentChannels.depositWithPermit,
                (address(CHAOS), amount, START_SECONDS, 27, bytes32(0), bytes32(0))
            );
        } else if (what % 4 == 1) {
            data = abi.encodeCall(IPaymentChannels.withdraw, (address(CHAOS), amount, MALLORY));
        } else {
            data = abi.encodeCall(IPaymentChannels.deposit, (address(CHAOS), amount));
        }
        string memory name = what % 4 == 1 ? "withdraw" : "deposit";
        bool done = _try(MALLORY, data, name);
        if (saysNo) {
            vm.assertTrue(!done, "a transfer that the token denies is none");
            CHAOS.arm(address(CHANNELS), moved, reverts, false, calls);
            if (_try(MALLORY, data, name)) succeeded["refused for its no alone"]++;
        }
        if (CHAOS.callsDone() > 0) succeeded["from within"]++;
    }

    /// @dev The same things without a token around them.
    function attack(uint256 seed) external {
        _try(MALLORY, _attack(seed, MALLORY), "attack");
    }

    /// @dev What would move the honest money, were it allowed, and what is allowed with bad money.
    function _attack(uint256 seed, address self) private view returns (bytes memory) {
        address token = seed / 16 % 2 == 0 ? address(TOKEN) : address(0);
        IPaymentChannels.Terms memory terms = honest(token);
        uint96 amount = uint96(1 + seed / 32 % CHANNEL);
        uint256 choice = seed % 12;
        if (choice == 0) return abi.encodeCall(IPaymentChannels.withdraw, (token, amount, self));
        if (choice == 1) return abi.encodeCall(IPaymentChannels.close, (terms));
        if (choice == 2) return abi.encodeCall(IPaymentChannels.requestClose, (terms));
        if (choice == 3) return abi.encodeCall(IPaymentChannels.topUp, (terms, amount));
        if (choice == 4) {
            terms.payee = self;
            return abi.encodeCall(IPaymentChannels.open, (terms, amount));
        }
        if (choice == 5) {
            return abi.encodeCall(
                IPaymentChannels.redeemOne,
                (PAYEE, token, claimOf(DOMAIN, terms, MALLORY_KEY, amount, 0))
            );
        }
        if (choice == 6) {
            // A voucher that was good once, named as another's.
            IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](1);
            claims[0] = voucher(token, amount);
            return abi.encodeCall(IPaymentChannels.redeem, (self, token, claims));
        }
        if (choice == 7) {
            return abi.encodeCall(
                IPaymentChannels.authoriseBySignature,
                (PAYER, self, token, amount, uint64(START_SECONDS + 1), new bytes(65))
            );
        }
        terms = IPaymentChannels.Terms(self, MALLORY, MALLORY, address(CHAOS), uint64(seed % 3));
        if (choice == 8) {
            return abi.encodeCall(IPaymentChannels.deposit, (address(CHAOS), amount));
        }
        if (choice == 9) return abi.encodeCall(IPaymentChannels.open, (terms, amount % 10 + 1));
        if (choice == 10) {
            return abi.encodeCall(
                IPaymentChannels.redeemOne,
                (MALLORY, address(CHAOS), claimOf(DOMAIN, terms, MALLORY_KEY, amount, 0))
            );
        }
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IPaymentChannels.deposit, (address(CHAOS), amount));
        calls[1] = abi.encodeCall(IPaymentChannels.withdraw, (token, amount, self));
        return abi.encodeWithSignature("multicall(bytes[])", calls);
    }

    function _try(address caller, bytes memory data, string memory name)
        private
        returns (bool success)
    {
        vm.prank(caller);
        (success,) = address(CHANNELS).call(data);
        if (success) succeeded[name]++;
    }
}
