// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PaymentChannels} from "../src/PaymentChannels.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ExactTransfer} from "../src/libraries/ExactTransfer.sol";
import {Fee} from "../src/libraries/Fee.sol";
import {ChannelsFixture} from "./kit/ChannelsFixture.sol";

/// @notice Deployment, money in and out, opening and topping up.
contract PaymentChannelsTest is ChannelsFixture {
    // Deployment.

    function test_constructor_refusesAChallengeTimeOutsideAMinuteToThirtyDays() public {
        _expectChallengeOutOfRange(1 minutes - 1);
        new PaymentChannels(1 minutes - 1, 0, address(0));
        _expectChallengeOutOfRange(30 days + 1);
        new PaymentChannels(30 days + 1, 0, address(0));
        new PaymentChannels(1 minutes, 0, address(0));
        vm.assertEq(new PaymentChannels(30 days, 0, address(0)).challengeSeconds(), 30 days, "most");
    }

    function test_constructor_refusesAFeeAboveFiveInAHundredOrToNobody() public {
        vm.expectRevert(abi.encodeWithSelector(Fee.FeeRefused.selector, 501, 500, treasury));
        new PaymentChannels(1 hours, 501, treasury);
        vm.expectRevert(abi.encodeWithSelector(Fee.FeeRefused.selector, 1, 500, address(0)));
        new PaymentChannels(1 hours, 1, address(0));
        PaymentChannels highest = new PaymentChannels(1 hours, 500, treasury);
        vm.assertEq(highest.feeBasisPoints(), 500, "fee");
        vm.assertEq(highest.treasury(), treasury, "treasury");
    }

    function test_domain_isOfThisChainAndContract() public {
        vm.assertEq(channels.domainSeparator(), domain, "separator");
        vm.chainId(block.chainid + 1);
        vm.assertEq(
            channels.domainSeparator(), domainOf(block.chainid, address(channels)), "after a fork"
        );
    }

    // Money in and out.

    function test_deposit_countsTokensForTheirSender() public {
        vm.expectEmit(address(channels));
        emit IPaymentChannels.Deposited(payer.addr, address(token), AMOUNT);
        _deposit(AMOUNT);
        vm.assertEq(_balance(payer.addr), AMOUNT, "balance inside");
        vm.assertEq(token.balanceOf(address(channels)), AMOUNT, "held");
    }

    function test_deposit_takesEtherThatIsNamedExactly() public {
        vm.deal(payer.addr, 10);
        vm.startPrank(payer.addr);
        vm.expectRevert(abi.encodeWithSelector(IPaymentChannels.EtherNotExact.selector, 5, 4));
        channels.deposit{value: 4}(address(0), 5);
        vm.expectRevert(abi.encodeWithSelector(IPaymentChannels.EtherNotExact.selector, 0, 4));
        channels.deposit{value: 4}(address(token), 5);
        channels.deposit{value: 5}(address(0), 5);
        vm.assertEq(channels.balanceOf(payer.addr, address(0)), 5, "ether inside");
    }

    function test_deposit_refusesZeroTooMuchAndWhatIsNoToken() public {
        vm.startPrank(payer.addr);
        vm.expectRevert(IPaymentChannels.ZeroAmount.selector);
        channels.deposit(address(token), 0);
        vm.expectRevert(abi.encodeWithSelector(IPaymentChannels.AmountTooLarge.selector, 1 << 96));
        channels.deposit(address(token), 1 << 96);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.TokenHasNoCode.selector, stranger));
        channels.deposit(stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.TokenHasNoCode.selector, address(0)));
        channels.depositWithPermit(address(0), 1, START_SECONDS, 27, ROOT, ROOT);
    }

    function test_depositWithPermit_needsNoAllowanceAlsoWhereSomebodyHandedThePermitIn() public {
        vm.prank(payer.addr);
        token.approve(address(channels), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(payer, address(token), address(channels), AMOUNT, START_SECONDS);
        vm.prank(stranger);
        token.permit(payer.addr, address(channels), AMOUNT, START_SECONDS, v, r, s);
        vm.prank(payer.addr);
        channels.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);
        vm.assertEq(_balance(payer.addr), AMOUNT, "balance inside");

        vm.prank(payer.addr);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.PermitRefused.selector, 0, AMOUNT));
        channels.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);
    }

    /// @dev What the token must refuse, since the contract asks it alone.
    function test_depositWithPermit_refusesTheOtherFormAnothersAndThoseOfAnotherContractOrChain()
        public
    {
        vm.prank(payer.addr);
        token.approve(address(channels), 0);
        (uint8 v, bytes32 r, bytes32 s) =
            signPermit(payer, address(token), address(channels), AMOUNT, START_SECONDS);
        bytes memory refused =
            abi.encodeWithSelector(ExactTransfer.PermitRefused.selector, 0, AMOUNT);

        vm.prank(stranger);
        vm.expectRevert(refused);
        channels.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);

        vm.startPrank(payer.addr);
        vm.expectRevert(refused);
        channels.depositWithPermit(
            address(token), AMOUNT, START_SECONDS, v == 27 ? 28 : 27, r, bytes32(ORDER - uint256(s))
        );
        PaymentChannels elsewhere = new PaymentChannels(CHALLENGE_SECONDS, 0, address(0));
        vm.expectRevert(refused);
        elsewhere.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);

        channels.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);
        vm.expectRevert(refused);
        channels.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);
        vm.assertEq(_balance(payer.addr), AMOUNT, "once");

        // After a fork of the chain the permits of the one side are worthless on the other.
        (v, r, s) = signPermit(payer, address(token), address(channels), AMOUNT, START_SECONDS);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(refused);
        channels.depositWithPermit(address(token), AMOUNT, START_SECONDS, v, r, s);
    }

    function test_multicall_depositsAndOpensInOneTransaction() public {
        IPaymentChannels.Terms memory terms = _terms(0);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IPaymentChannels.deposit, (address(token), AMOUNT));
        calls[1] = abi.encodeCall(IPaymentChannels.open, (terms, AMOUNT));
        vm.prank(payer.addr);
        channels.multicall(calls);
        vm.assertEq(_channel(terms).deposit, AMOUNT, "deposit");

        // It takes no ether, which a delegated call would count again and again.
        vm.deal(payer.addr, 1);
        calls[0] = abi.encodeCall(IPaymentChannels.deposit, (address(0), 1));
        vm.prank(payer.addr);
        (bool taken,) =
            address(channels).call{value: 1}(abi.encodeWithSignature("multicall(bytes[])", calls));
        vm.assertTrue(!taken, "ether in a multicall");
    }

    function test_withdraw_sendsTokensAndEtherWhereTheAccountSays() public {
        _deposit(AMOUNT);
        vm.deal(payer.addr, 5);
        vm.startPrank(payer.addr);
        channels.deposit{value: 5}(address(0), 5);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.Withdrawn(payer.addr, address(token), 7, stranger);
        channels.withdraw(address(token), 7, stranger);
        channels.withdraw(address(0), 3, stranger);
        vm.assertEq(token.balanceOf(stranger), 7, "tokens");
        vm.assertEq(stranger.balance, 3, "ether");
        vm.assertEq(_balance(payer.addr), AMOUNT - 7, "tokens left");
        vm.assertEq(channels.balanceOf(payer.addr, address(0)), 2, "ether left");
    }

    function test_withdraw_refusesWhatIsNotThereNobodyAndNothing() public {
        _deposit(AMOUNT);
        vm.startPrank(payer.addr);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.BalanceTooSmall.selector,
                payer.addr,
                address(token),
                AMOUNT,
                AMOUNT + 1
            )
        );
        channels.withdraw(address(token), AMOUNT + 1, payer.addr);
        vm.expectRevert(IPaymentChannels.ZeroAddress.selector);
        channels.withdraw(address(token), 1, address(0));
        vm.expectRevert(IPaymentChannels.ZeroAmount.selector);
        channels.withdraw(address(token), 0, payer.addr);
    }

    function test_withdraw_toOneThatRefusesEtherCostsNothing() public {
        vm.deal(payer.addr, 5);
        vm.startPrank(payer.addr);
        channels.deposit{value: 5}(address(0), 5);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.EtherRefused.selector, address(token))
        );
        channels.withdraw(address(0), 5, address(token));
        vm.assertEq(channels.balanceOf(payer.addr, address(0)), 5, "still there");
    }

    function test_ether_withoutADepositIsRefused() public {
        (bool taken,) = address(channels).call{value: 1}("");
        vm.assertTrue(!taken, "nobody's ether");
    }

    // Opening and topping up.

    function test_open_movesTheBalanceIntoTheChannel() public {
        IPaymentChannels.Terms memory terms = _terms(3);
        _deposit(AMOUNT);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.Opened(
            keccak256(abi.encode(terms)), payer.addr, payee, payer.addr, address(token), 3, 2e6
        );
        vm.prank(payer.addr);
        bytes32 id = channels.open(terms, 2e6);
        vm.assertEq(id, channels.idOf(terms), "id");
        vm.assertEq(_channel(terms).deposit, 2e6, "deposit");
        vm.assertEq(_channel(terms).closesAt, 0, "open");
        vm.assertEq(_balance(payer.addr), AMOUNT - 2e6, "balance");
    }

    function test_open_refusesNothingNobodyAndASecondTime() public {
        _deposit(AMOUNT);
        vm.startPrank(payer.addr);
        vm.expectRevert(IPaymentChannels.ZeroAmount.selector);
        channels.open(_terms(0), 0);
        IPaymentChannels.Terms memory terms = _terms(0);
        terms.signer = address(0);
        vm.expectRevert(IPaymentChannels.ZeroAddress.selector);
        channels.open(terms, 1);
        terms = _terms(0);
        terms.payee = address(0);
        vm.expectRevert(IPaymentChannels.ZeroAddress.selector);
        channels.open(terms, 1);
        channels.open(_terms(0), 1);
        _expectIdUsed(_terms(0));
        channels.open(_terms(0), 1);
        vm.stopPrank();
        vm.prank(payee);
        channels.close(_terms(0));
        vm.startPrank(payer.addr);
        _expectIdUsed(_terms(0));
        channels.open(_terms(0), 1);
    }

    function test_open_refusesEverybodyElsesMoney() public {
        _deposit(AMOUNT);
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.NoSession.selector, payer.addr, stranger, 0)
        );
        channels.open(_terms(0), 1);
    }

    function test_topUp_addsToAnOpenChannelAlone() public {
        IPaymentChannels.Terms memory terms = _terms(0);
        _deposit(AMOUNT);
        vm.startPrank(payer.addr);
        _expectNotOpen(terms);
        channels.topUp(terms, 1);
        channels.open(terms, 2e6);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.ToppedUp(_id(terms), 1e6, 3e6);
        channels.topUp(terms, 1e6);
        vm.assertEq(_channel(terms).deposit, 3e6, "deposit");
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.AmountTooLarge.selector, uint256(type(uint96).max) + 3e6
            )
        );
        channels.topUp(terms, type(uint96).max);

        channels.requestClose(terms);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChannelClosing.selector,
                _id(terms),
                START_SECONDS + CHALLENGE_SECONDS
            )
        );
        channels.topUp(terms, 1);
    }
}
