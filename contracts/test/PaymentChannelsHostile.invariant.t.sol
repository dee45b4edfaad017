// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {PaymentChannels} from "../src/PaymentChannels.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {HostileChannelsHandler} from "./handlers/HostileChannelsHandler.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";

/// @notice Whatever a bad token and its author do, those who deal in another are not touched.
/// forge-config: default.invariant.runs = 4
contract PaymentChannelsHostileInvariantTest is ForgeTest {
    HostileChannelsHandler private handler;
    PaymentChannels private channels;
    DevToken private token;

    function setUp() public {
        handler = new HostileChannelsHandler();
        channels = handler.CHANNELS();
        token = handler.TOKEN();
    }

    /// @notice Forge asks this for the contracts whose functions it calls at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One long walk with a fixed seed, since an invariant that nothing ever tries holds always.
    function test_handler_reachesWhatABadTokenMayDo() public {
        for (uint256 i = 0; i < 600; i++) {
            uint256 a = uint256(keccak256(abi.encode(i, "a")));
            uint256 b = uint256(keccak256(abi.encode(i, "b")));
            if (i % 3 == 0) handler.pay(a, b);
            else if (i % 3 == 1) handler.chaos(a, b, a ^ b, uint96(a % 1000));
            else handler.attack(a);
        }
        vm.assertGt(handler.succeeded("pay"), 0, "honest vouchers");
        vm.assertGt(handler.succeeded("deposit"), 0, "deposits of the bad token");
        vm.assertGt(handler.succeeded("withdraw"), 0, "withdrawals of the bad token");
        vm.assertGt(handler.succeeded("refused for its no alone"), 0, "transfers answered false");
        vm.assertGt(handler.succeeded("from within"), 0, "calls from within the bad token");
        invariant_honestMoneyIsWhereItWas();
        invariant_honestMoneyCanBeTakenOut();
    }

    function invariant_honestMoneyIsWhereItWas() public view {
        uint256 all = uint256(handler.CHANNEL()) + handler.HELD();
        vm.assertEq(token.balanceOf(address(channels)), all, "tokens held");
        vm.assertEq(address(channels).balance, all, "ether held");
        for (uint256 i = 0; i < 2; i++) {
            address coin = i == 0 ? address(token) : address(0);
            IPaymentChannels.Channel memory held =
                channels.channelOf(channels.idOf(handler.honest(coin)));
            vm.assertEq(held.deposit, handler.CHANNEL(), "deposit");
            vm.assertEq(held.redeemed, handler.redeemed(coin), "redeemed");
            vm.assertEq(held.closesAt, 0, "open");
            vm.assertEq(channels.balanceOf(handler.PAYER(), coin), handler.HELD(), "payer");
            vm.assertEq(channels.balanceOf(handler.PAYEE(), coin), handler.redeemed(coin), "payee");
        }
    }

    function invariant_honestMoneyCanBeTakenOut() public {
        uint256 state = vm.snapshotState();
        address payee = handler.PAYEE();
        uint96 most = handler.CHANNEL();
        for (uint256 i = 0; i < 2; i++) {
            address coin = i == 0 ? address(token) : address(0);
            if (handler.redeemed(coin) < most) {
                channels.redeemOne(payee, coin, handler.voucher(coin, most));
            }
            vm.prank(payee);
            channels.withdraw(coin, most, payee);
            uint256 held = handler.HELD();
            address payer = handler.PAYER();
            vm.prank(payer);
            channels.withdraw(coin, held, payer);
        }
        vm.assertEq(token.balanceOf(address(channels)), 0, "tokens");
        vm.assertEq(address(channels).balance, 0, "ether");
        vm.assertTrue(vm.revertToState(state), "state restored");
    }
}
