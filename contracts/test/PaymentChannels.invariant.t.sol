// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PaymentChannels} from "../src/PaymentChannels.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ChannelsHandler} from "./handlers/ChannelsHandler.sol";
import {ForgeTest} from "./kit/ForgeTest.sol";
import {BlockingToken} from "./tokens/BlockingToken.sol";

/// @notice What must hold after any sequence of calls by anybody.
/// forge-config: default.invariant.runs = 4
contract PaymentChannelsInvariantTest is ForgeTest {
    string[11] private WATCHED = [
        "deposit",
        "withdraw",
        "authorise",
        "revoke",
        "open",
        "topUp",
        "redeemOne",
        "redeem",
        "requestClose",
        "close",
        "spent by a session key"
    ];

    ChannelsHandler private handler;
    PaymentChannels private channels;
    BlockingToken private token;

    function setUp() public {
        handler = new ChannelsHandler();
        channels = handler.CHANNELS();
        token = handler.TOKEN();
    }

    /// @notice Forge asks this for the contracts whose functions it calls at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One long walk with a fixed seed, since an invariant that nothing ever tries holds always.
    function test_handler_reachesEveryCall() public {
        for (uint256 i = 0; i < 1500; i++) {
            uint256 a = uint256(keccak256(abi.encode(i, "a")));
            uint256 b = uint256(keccak256(abi.encode(i, "b")));
            uint256 c = uint256(keccak256(abi.encode(i, "c")));
            uint256 choice = uint256(keccak256(abi.encode(i))) % 12;
            if (choice == 0) handler.deposit(a, b, c);
            else if (choice == 1) handler.withdraw(a, b, c, a ^ b);
            else if (choice == 2) handler.authorise(a, b, c, a ^ b);
            else if (choice == 3) handler.revoke(a, b);
            else if (choice == 4) handler.open(a, b, c);
            else if (choice == 5) handler.topUp(a, b, c);
            else if (choice == 6) handler.redeemOne(a, b, c);
            else if (choice == 7) handler.redeem(a, b, c);
            else if (choice == 8) handler.requestClose(a, b);
            else if (choice == 9) handler.close(a, b);
            else if (choice == 10) handler.passTime(a);
            else handler.block_(a, b);
        }
        for (uint256 i = 0; i < WATCHED.length; i++) {
            vm.assertGt(handler.succeeded(WATCHED[i]), 0, WATCHED[i]);
        }
        invariant_whatIsOwedIsHeld();
        invariant_channelsAreWhatTheModelSays();
        invariant_everyBalanceIsWhatTheModelSaysAndCanBeWithdrawn();
        invariant_aPayeeCanRedeemUntilTheChannelCloses();
    }

    function invariant_whatIsOwedIsHeld() public view {
        uint256 tokens = handler.owed(address(token));
        vm.assertEq(token.balanceOf(address(channels)), tokens, "tokens held are tokens owed");
        vm.assertEq(tokens, handler.outside(address(token)), "and all that came in and is not out");
        uint256 ether_ = handler.owed(address(0));
        vm.assertEq(address(channels).balance, ether_, "ether held is ether owed");
        vm.assertEq(ether_, handler.outside(address(0)), "and all that came in and is not out");
    }

    /// @dev What a channel has paid never exceeds what was put in, nor the highest voucher that was
    /// handed in: nothing is paid twice. That both only grow is asserted around each call, in the
    /// handler, whose state lasts from one call to the next.
    function invariant_channelsAreWhatTheModelSays() public view {
        IPaymentChannels.Terms[] memory all = handler.channels();
        for (uint256 i = 0; i < all.length; i++) {
            bytes32 id = keccak256(abi.encode(all[i]));
            IPaymentChannels.Channel memory held = channels.channelOf(id);
            ChannelsHandler.Model memory model = handler.modelOf(id);
            vm.assertEq(held.deposit, model.deposit, "deposit");
            vm.assertEq(held.redeemed, model.redeemed, "redeemed");
            vm.assertEq(held.closesAt, model.closesAt, "closes at");
            vm.assertLe(held.redeemed, held.deposit, "redeemed of deposit");
            vm.assertLe(held.redeemed, model.signed, "redeemed of what was signed");
        }
    }

    function invariant_everyBalanceIsWhatTheModelSaysAndCanBeWithdrawn() public {
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i <= handler.ACCOUNTS(); i++) {
            address account = i < handler.ACCOUNTS() ? handler.accounts(i) : handler.TREASURY();
            token.setBlocked(account, false);
            for (uint256 j = 0; j < 2; j++) {
                address coin = j == 0 ? address(token) : address(0);
                uint256 balance = channels.balanceOf(account, coin);
                vm.assertEq(balance, handler.expected(account, coin), "balance");
                if (balance == 0) continue;
                vm.prank(account);
                channels.withdraw(coin, balance, account);
            }
        }
        vm.assertTrue(vm.revertToState(state), "state restored");
    }

    /// @dev Whatever the payer and its keys did: while the payer cannot have it, the payee can.
    function invariant_aPayeeCanRedeemUntilTheChannelCloses() public {
        IPaymentChannels.Terms[] memory all = handler.channels();
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i < all.length; i++) {
            IPaymentChannels.Terms memory terms = all[i];
            ChannelsHandler.Model memory model = handler.modelOf(keccak256(abi.encode(terms)));
            if (model.closesAt == type(uint40).max || model.deposit == model.redeemed) continue;
            uint256 balance = channels.balanceOf(terms.payee, terms.token);
            channels.redeemOne(terms.payee, terms.token, handler.claimFor(terms, model.deposit));
            vm.assertGt(
                channels.balanceOf(terms.payee, terms.token) + 1, balance, "the payee is paid"
            );
            vm.assertEq(
                channels.channelOf(keccak256(abi.encode(terms))).redeemed,
                model.deposit,
                "all of it"
            );
        }
        vm.assertTrue(vm.revertToState(state), "state restored");
    }
}
