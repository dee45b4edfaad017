// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./kit/ChannelsFixture.sol";

/// @notice How a channel ends: no payer has its money back before its payee could redeem.
contract PaymentChannelsClosingTest is ChannelsFixture {
    // Closing.

    function test_close_byThePayeeAtOnceReturnsTheRest() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        channels.redeemOne(payee, address(token), _claim(terms, 2e6));
        uint256 before = _balance(payer.addr);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.Closed(_id(terms), 2e6, AMOUNT - 2e6);
        vm.prank(payee);
        channels.close(terms);
        vm.assertEq(_balance(payer.addr), before + AMOUNT - 2e6, "the rest");
        IPaymentChannels.Claim memory late = _claim(terms, 3e6);
        _expectNotOpen(terms);
        channels.redeemOne(payee, address(token), late);
        vm.prank(payee);
        _expectNotOpen(terms);
        channels.close(terms);
    }

    function test_close_byOthersWaitsForTheChallengeTime() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        vm.prank(payer.addr);
        _expectTooEarly(terms, 0);
        channels.close(terms);
        uint64 closesAt = uint64(START_SECONDS + CHALLENGE_SECONDS);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.CloseRequested(_id(terms), closesAt);
        vm.prank(payer.addr);
        channels.requestClose(terms);
        vm.warp(closesAt - 1);
        vm.prank(payer.addr);
        _expectTooEarly(terms, closesAt);
        channels.close(terms);

        // Until then the payee hands its newest voucher in, and also after it, while nobody closed.
        channels.redeemOne(payee, address(token), _claim(terms, 2e6));
        vm.warp(closesAt);
        channels.redeemOne(payee, address(token), _claim(terms, 3e6));
        vm.prank(stranger);
        channels.close(terms);
        vm.assertEq(_balance(payee), 3e6, "payee");
    }

    /// @dev A time is a number of seconds, odd or even, and every bit of it must leave vouchers alone.
    function test_redeem_worksInEverySecondOfTheChallengeTime() public {
        for (uint64 salt = 0; salt < 8; salt++) {
            _redeemWhileClosing(salt, START_SECONDS + salt);
        }
        // Times of which a single bit is set, and all but the highest.
        for (uint64 bit = 32; bit < 39; bit++) {
            _redeemWhileClosing(100 + bit, (uint256(1) << bit) - CHALLENGE_SECONDS);
            _redeemWhileClosing(200 + bit, (uint256(1) << bit) - 1 - CHALLENGE_SECONDS);
        }
    }

    function _redeemWhileClosing(uint64 salt, uint256 time) private {
        vm.warp(time);
        IPaymentChannels.Terms memory terms = _opened(salt);
        vm.prank(payer.addr);
        channels.requestClose(terms);
        vm.assertEq(_channel(terms).closesAt, time + CHALLENGE_SECONDS, "closes at");
        uint256 before = _balance(payee);

        IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](1);
        claims[0] = _claim(terms, 1);
        vm.assertEq(channels.redeem(payee, address(token), claims), 1, "in a batch");
        channels.redeemOne(payee, address(token), _claim(terms, 2));
        bytes memory signature = signLong(payer.key, voucherDigest(domain, _id(terms), 3, ROOT));
        channels.redeemSigned(terms, 3, ROOT, signature);
        vm.warp(time + CHALLENGE_SECONDS);
        channels.redeemOne(payee, address(token), _claim(terms, 4));
        vm.assertEq(_balance(payee), before + 4, "every voucher was paid");
    }

    function test_close_ofAnEmptyChannelReturnsNothing() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        channels.redeemOne(payee, address(token), _claim(terms, AMOUNT));
        uint256 before = _balance(payer.addr);
        vm.prank(payee);
        channels.close(terms);
        vm.assertEq(_balance(payer.addr), before, "nothing");
    }

    function test_requestClose_isThePayersAndSignersAndKeepsItsClock() public {
        IPaymentChannels.Terms memory terms = _terms(0);
        terms.signer = key.addr;
        _deposit(AMOUNT);
        vm.prank(payer.addr);
        channels.open(terms, AMOUNT);
        vm.prank(payee);
        vm.expectRevert(abi.encodeWithSelector(IPaymentChannels.NotPayerOrSigner.selector, payee));
        channels.requestClose(terms);
        vm.prank(key.addr);
        channels.requestClose(terms);
        vm.warp(START_SECONDS + 100);
        vm.prank(payer.addr);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChannelClosing.selector,
                _id(terms),
                START_SECONDS + CHALLENGE_SECONDS
            )
        );
        channels.requestClose(terms);
        vm.prank(payer.addr);
        _expectNotOpen(_terms(5));
        channels.requestClose(_terms(5));
    }

    // Reorganisations.

    /// @dev The chain forgets a redemption and a top-up; the same voucher is good again, and what it
    /// pays in the end is the same.
    function test_reorganisation_losesNoVoucherAndPaysNoneTwice() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        _deposit(AMOUNT);
        IPaymentChannels.Claim memory claim = _claim(terms, uint256(AMOUNT) + 2e6);
        uint256 fork = vm.snapshotState();

        vm.prank(payer.addr);
        channels.topUp(terms, AMOUNT);
        channels.redeemOne(payee, address(token), claim);
        vm.assertEq(_balance(payee), AMOUNT + 2e6, "on the branch that is lost");

        vm.assertTrue(vm.revertToState(fork), "reorganised");
        vm.assertEq(_balance(payee), 0, "forgotten");
        vm.prank(payer.addr);
        channels.requestClose(terms);
        channels.redeemOne(payee, address(token), claim);
        vm.assertEq(_balance(payee), AMOUNT, "what this branch has in the channel");
        _expectNothing(terms, AMOUNT);
        channels.redeemOne(payee, address(token), claim);
    }

    function testFuzz_aProviderCanAlwaysRedeemBeforeThePayerHasItBack(
        uint96 amount,
        uint32 asked,
        uint32 redeemed
    ) public {
        amount = uint96(bound(amount, 1, AMOUNT));
        IPaymentChannels.Terms memory terms = _opened(0);
        vm.warp(START_SECONDS + asked);
        vm.prank(payer.addr);
        channels.requestClose(terms);
        vm.warp(START_SECONDS + asked + redeemed % CHALLENGE_SECONDS);
        vm.prank(payer.addr);
        (bool closed,) = address(channels).call(abi.encodeCall(IPaymentChannels.close, (terms)));
        vm.assertTrue(!closed, "not before the challenge time is over");
        channels.redeemOne(payee, address(token), _claim(terms, amount));
        vm.assertEq(_balance(payee), amount, "paid");
    }
}
