// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ExactTransfer} from "../src/libraries/ExactTransfer.sol";
import {ChannelsFixture} from "./kit/ChannelsFixture.sol";
import {BlockingToken} from "./tokens/BlockingToken.sol";
import {FalseToken} from "./tokens/FalseToken.sol";
import {FeeToken} from "./tokens/FeeToken.sol";
import {HookToken} from "./tokens/HookToken.sol";
import {PhantomToken} from "./tokens/PhantomToken.sol";
import {RebasingToken} from "./tokens/RebasingToken.sol";
import {ReentrantParty} from "./tokens/ReentrantParty.sol";
import {SilentToken} from "./tokens/SilentToken.sol";

/// @notice Tokens and accounts that do not behave: they may harm those who hold or are them, and
/// nobody else. In every test others hold an honest token, ether, and more of the same bad token.
contract PaymentChannelsHostileTokensTest is ChannelsFixture {
    uint96 private constant SUM = 1000;
    uint256 private constant ETHER_HELD = 50;

    Account private holder;
    address private other;

    /// @dev The payer of the fixture is the honest one whom nothing may touch.
    function setUp() public override {
        super.setUp();
        holder = newAccount("holder");
        other = newAccount("other holder").addr;
        _opened(0);
        _deposit(AMOUNT);
        vm.deal(payer.addr, ETHER_HELD);
        vm.prank(payer.addr);
        channels.deposit{value: ETHER_HELD}(address(0), ETHER_HELD);
    }

    // A token that keeps a part of each transfer.

    function test_feeToken_isRefusedAtTheDoorAndLaterCostsItsHolderAlone() public {
        FeeToken bad = new FeeToken(holder.addr, 10 * SUM);
        _share(bad);
        bad.setFee(true);
        vm.startPrank(holder.addr);
        bytes memory notExact =
            abi.encodeWithSelector(ExactTransfer.DepositNotExact.selector, SUM, SUM - 10);
        vm.expectRevert(notExact);
        channels.deposit(address(bad), SUM);
        vm.expectRevert(notExact);
        channels.depositWithPermit(address(bad), SUM, START_SECONDS, 27, ROOT, ROOT);

        channels.withdraw(address(bad), SUM, holder.addr);
        vm.stopPrank();
        vm.assertEq(bad.balanceOf(address(channels)), SUM, "the other holder's is covered");
        _assertOtherHolderGets(bad);
        _assertHonestMoneyIsThere();
    }

    // A token that answers false, lies or reverts.

    function test_falseToken_isRefusedAtTheDoorInEveryMood() public {
        FalseToken bad = new FalseToken(holder.addr, 10 * SUM);
        _share(bad);
        bytes[3] memory errors = [
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(bad)),
            abi.encodeWithSelector(ExactTransfer.DepositNotExact.selector, SUM, 0),
            abi.encodeWithSelector(FalseToken.NotToday.selector)
        ];
        for (uint8 mood = 1; mood <= 3; mood++) {
            bad.setMood(FalseToken.Mood(mood));
            vm.startPrank(holder.addr);
            vm.expectRevert(errors[mood - 1]);
            channels.deposit(address(bad), SUM);
            vm.expectRevert(errors[mood - 1]);
            channels.depositWithPermit(address(bad), SUM, START_SECONDS, 27, ROOT, ROOT);
            vm.stopPrank();
        }
        vm.assertEq(channels.balanceOf(holder.addr, address(bad)), SUM, "nothing was counted");
        _assertHonestMoneyIsThere();
    }

    function test_falseToken_thatRefusesAWithdrawalLosesNothingAndOneThatLiesItsHoldersAlone()
        public
    {
        FalseToken bad = new FalseToken(holder.addr, 10 * SUM);
        _share(bad);
        vm.startPrank(holder.addr);
        bad.setMood(FalseToken.Mood.SaysNo);
        vm.expectRevert(
            abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(bad))
        );
        channels.withdraw(address(bad), SUM, holder.addr);
        bad.setMood(FalseToken.Mood.Reverts);
        vm.expectRevert(FalseToken.NotToday.selector);
        channels.withdraw(address(bad), SUM, holder.addr);
        vm.assertEq(channels.balanceOf(holder.addr, address(bad)), SUM, "to be tried again");

        bad.setMood(FalseToken.Mood.SaysYesMovesNothing);
        channels.withdraw(address(bad), SUM, holder.addr);
        bad.setMood(FalseToken.Mood.Honest);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.BalanceTooSmall.selector, holder.addr, address(bad), 0, 1
            )
        );
        channels.withdraw(address(bad), 1, holder.addr);
        vm.stopPrank();
        _assertOtherHolderGets(bad);
        _assertHonestMoneyIsThere();
    }

    // A token that returns nothing, which is odd but honest.

    function test_silentToken_worksThroughAWholeChannel() public {
        SilentToken bad = new SilentToken(holder.addr, 10 * SUM);
        _share(IERC20(address(bad)));
        IPaymentChannels.Terms memory terms = _openOf(address(bad));
        channels.redeemOne(payee, address(bad), _claimOf(terms, 600));
        vm.prank(payee);
        channels.withdraw(address(bad), 600, payee);
        vm.prank(payee);
        channels.close(terms);
        vm.prank(holder.addr);
        channels.withdraw(address(bad), 400, holder.addr);
        vm.assertEq(bad.balanceOf(payee), 600, "payee");
        vm.assertEq(bad.balanceOf(holder.addr), 8 * SUM + 400, "payer");
        _assertOtherHolderGets(IERC20(address(bad)));
    }

    // A token with a list of blocked accounts.

    function test_blockingToken_aBlockedPayeeRedeemsAndWithdrawsToWhereItIsNotBlocked() public {
        BlockingToken bad = new BlockingToken(holder.addr, 10 * SUM);
        _share(bad);
        IPaymentChannels.Terms memory terms = _openOf(address(bad));
        bad.setBlocked(payee, true);
        IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](1);
        claims[0] = _claimOf(terms, 600);
        vm.assertEq(channels.redeem(payee, address(bad), claims), 600, "redeemed");

        vm.startPrank(payee);
        vm.expectRevert(abi.encodeWithSelector(BlockingToken.AccountBlocked.selector, payee));
        channels.withdraw(address(bad), 600, payee);
        channels.withdraw(address(bad), 600, stranger);
        channels.close(terms);
        vm.stopPrank();
        vm.assertEq(bad.balanceOf(stranger), 600, "where the payee said");
        vm.assertEq(channels.balanceOf(holder.addr, address(bad)), 400, "the payer's rest");
        _assertOtherHolderGets(bad);
    }

    function test_blockingToken_aBlockedPayerDoesNotStopItsPayee() public {
        BlockingToken bad = new BlockingToken(holder.addr, 10 * SUM);
        _share(bad);
        IPaymentChannels.Terms memory terms = _openOf(address(bad));
        bad.setBlocked(holder.addr, true);
        channels.redeemOne(payee, address(bad), _claimOf(terms, 600));
        vm.startPrank(payee);
        channels.withdraw(address(bad), 600, payee);
        channels.close(terms);
        vm.stopPrank();
        vm.assertEq(bad.balanceOf(payee), 600, "paid");
        _assertOtherHolderGets(bad);
    }

    // A token whose balances grow or shrink by themselves.

    function test_rebasingToken_thatShrinksIsShortForItsOwnHoldersAlone() public {
        RebasingToken bad = new RebasingToken(holder.addr, 10 * SUM);
        _share(IERC20(address(bad)));
        bad.rebase(50);
        // Two are owed a thousand each, and a thousand are there: the first has them.
        vm.prank(holder.addr);
        channels.withdraw(address(bad), SUM, holder.addr);
        vm.prank(other);
        vm.expectRevert(RebasingToken.Insufficient.selector);
        channels.withdraw(address(bad), SUM, other);
        vm.assertEq(channels.balanceOf(other, address(bad)), SUM, "and the second is still owed");

        // What comes in now is measured as it comes.
        vm.prank(holder.addr);
        channels.deposit(address(bad), SUM);
        vm.assertEq(bad.balanceOf(address(channels)), SUM, "as it came");
        _assertHonestMoneyIsThere();
    }

    function test_rebasingToken_thatGrowsPaysWhatWasPutIn() public {
        RebasingToken bad = new RebasingToken(holder.addr, 10 * SUM);
        _share(IERC20(address(bad)));
        bad.rebase(200);
        vm.prank(holder.addr);
        channels.withdraw(address(bad), SUM, holder.addr);
        _assertOtherHolderGets(IERC20(address(bad)));
        vm.assertEq(bad.balanceOf(address(channels)), 2 * SUM, "what grew is nobody's");
        _assertHonestMoneyIsThere();
    }

    // A token that takes any permit, or none.

    function test_phantomToken_letsNobodyDepositWithAnothersAllowance() public {
        PhantomToken bad = new PhantomToken(holder.addr, 10 * SUM);
        _share(bad);
        vm.prank(stranger);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(channels), 0, SUM
            )
        );
        channels.depositWithPermit(address(bad), SUM, START_SECONDS, 27, ROOT, ROOT);
        vm.prank(holder.addr);
        channels.depositWithPermit(address(bad), SUM, START_SECONDS, 27, ROOT, ROOT);
        vm.assertEq(channels.balanceOf(holder.addr, address(bad)), 2 * SUM, "its own allowance");
        vm.assertEq(channels.balanceOf(stranger, address(bad)), 0, "and nobody else's");
    }

    // A token that calls those it moves tokens for.

    function test_hookToken_countsADepositOnceWhateverIsCalledInTheMiddle() public {
        (HookToken bad, ReentrantParty party) = _party();
        // What may be called by anybody at any time may be called here; it moves what is counted.
        IPaymentChannels.Terms memory terms = _termsOf(address(party), address(bad));
        bytes[] memory calls = new bytes[](7);
        calls[0] = abi.encodeCall(IPaymentChannels.deposit, (address(bad), SUM));
        calls[1] = abi.encodeCall(
            IPaymentChannels.depositWithPermit, (address(bad), SUM, START_SECONDS, 27, ROOT, ROOT)
        );
        calls[2] = abi.encodeCall(IPaymentChannels.withdraw, (address(bad), SUM, address(party)));
        bytes[] memory inner = new bytes[](1);
        inner[0] = calls[2];
        calls[3] = abi.encodeWithSignature("multicall(bytes[])", inner);
        calls[4] = abi.encodeCall(IPaymentChannels.open, (terms, SUM));
        calls[5] = abi.encodeCall(IPaymentChannels.topUp, (terms, 1));
        calls[6] = abi.encodeCall(IPaymentChannels.open, (_terms(9), 1));
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);
        party.act(abi.encodeCall(IPaymentChannels.deposit, (address(bad), SUM)));

        vm.assertEq(party.callsTried(), 7, "the hook ran");
        vm.assertEq(party.callsLockedOut(), 4, "no money in or out in the middle of money in");
        vm.assertEq(party.callsDone(), 1, "one channel, of the one deposit");
        vm.assertEq(channels.balanceOf(address(party), address(bad)), 0, "which is in it");
        vm.assertEq(bad.balanceOf(address(channels)), 3 * SUM, "held");
        vm.prank(payee);
        channels.close(terms);
        vm.assertEq(channels.balanceOf(address(party), address(bad)), SUM, "once");
        _assertOtherHolderGets(bad);
        _assertHonestMoneyIsThere();
    }

    function test_hookToken_cannotDepositTwiceFromWithinItsPermit() public {
        (HookToken bad, ReentrantParty party) = _party();
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(IPaymentChannels.deposit, (address(bad), SUM));
        calls[1] = abi.encodeCall(
            IPaymentChannels.depositWithPermit, (address(bad), SUM, START_SECONDS, 27, ROOT, ROOT)
        );
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);
        party.act(calls[1]);
        vm.assertEq(party.callsTried(), 4, "the hook ran in the permit and in the transfer");
        vm.assertEq(party.callsLockedOut(), 4, "every call back in was refused");
        vm.assertEq(channels.balanceOf(address(party), address(bad)), SUM, "once");
        vm.assertEq(bad.balanceOf(address(channels)), 3 * SUM, "held");
        _assertHonestMoneyIsThere();
    }

    function test_hookToken_cannotWithdrawTwiceAndSpendsNothingThatItHasWithdrawn() public {
        (HookToken bad, ReentrantParty party) = _party();
        party.act(abi.encodeCall(IPaymentChannels.deposit, (address(bad), SUM)));
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(IPaymentChannels.withdraw, (address(bad), SUM, address(party)));
        calls[1] = abi.encodeCall(IPaymentChannels.deposit, (address(bad), SUM));
        calls[2] =
            abi.encodeCall(IPaymentChannels.open, (_termsOf(address(party), address(bad)), SUM));
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);
        party.act(calls[0]);
        vm.assertEq(party.callsTried(), 3, "the hook ran");
        vm.assertEq(party.callsLockedOut(), 2, "no withdrawal or deposit within a withdrawal");
        vm.assertEq(party.callsDone(), 0, "and no channel of what is gone");
        vm.assertEq(bad.balanceOf(address(party)), 2 * SUM, "its own, once");
        _assertOtherHolderGets(bad);
        _assertHonestMoneyIsThere();
    }

    function test_hookToken_aPayeeThatRefusesOrBurnsGasStopsItsOwnWithdrawalAlone() public {
        (HookToken bad, ReentrantParty party) = _party();
        party.act(abi.encodeCall(IPaymentChannels.deposit, (address(bad), SUM)));
        bytes memory withdrawal =
            abi.encodeCall(IPaymentChannels.withdraw, (address(bad), SUM, address(party)));
        party.arm(ReentrantParty.Trick.Revert, new bytes[](0));
        vm.expectRevert(ReentrantParty.PaymentNotWanted.selector);
        party.act(withdrawal);
        party.arm(ReentrantParty.Trick.BurnAllGas, new bytes[](0));
        (bool taken,) =
            address(party).call{gas: 1_000_000}(abi.encodeCall(ReentrantParty.act, (withdrawal)));
        vm.assertTrue(!taken, "no gas was left");
        _assertOtherHolderGets(bad);
        party.arm(ReentrantParty.Trick.None, new bytes[](0));
        party.act(withdrawal);
        vm.assertEq(bad.balanceOf(address(party)), 2 * SUM, "tried again");
    }

    // Ether calls those it is sent to.

    function test_ether_cannotBeWithdrawnTwiceByReentering() public {
        (, ReentrantParty party) = _party();
        IPaymentChannels.Terms memory terms = _termsOf(address(party), address(0));
        vm.deal(address(this), 20);
        party.act{value: 10}(abi.encodeCall(IPaymentChannels.deposit, (address(0), 10)));
        party.act{value: 10}(abi.encodeCall(IPaymentChannels.deposit, (address(0), 10)));
        bytes memory withdrawal =
            abi.encodeCall(IPaymentChannels.withdraw, (address(0), 10, address(party)));
        bytes[] memory inner = new bytes[](1);
        inner[0] = withdrawal;
        bytes[] memory calls = new bytes[](5);
        calls[0] = withdrawal;
        calls[1] = abi.encodeWithSignature("multicall(bytes[])", inner);
        calls[2] = abi.encodeCall(IPaymentChannels.deposit, (address(0), 0));
        calls[3] = abi.encodeCall(IPaymentChannels.open, (terms, 11));
        calls[4] = abi.encodeCall(IPaymentChannels.open, (terms, 10));
        party.arm(ReentrantParty.Trick.TryTheCalls, calls);
        party.act(withdrawal);

        vm.assertEq(party.callsTried(), 5, "its code ran");
        vm.assertEq(party.callsLockedOut(), 3, "no money in or out in the middle of money out");
        vm.assertEq(party.callsDone(), 1, "a channel of what is left, and of no more");
        vm.assertEq(address(party).balance, 10, "sent once");
        vm.assertEq(channels.balanceOf(address(party), address(0)), 0, "nothing is left");
        vm.assertEq(address(channels).balance, ETHER_HELD + 10, "held");
        _assertHonestMoneyIsThere();
    }

    function test_ether_aPayeeThatRefusesItStopsItsOwnWithdrawalAlone() public {
        (, ReentrantParty party) = _party();
        vm.deal(address(this), 10);
        party.act{value: 10}(abi.encodeCall(IPaymentChannels.deposit, (address(0), 10)));
        party.arm(ReentrantParty.Trick.Revert, new bytes[](0));
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.EtherRefused.selector, address(party))
        );
        party.act(abi.encodeCall(IPaymentChannels.withdraw, (address(0), 10, address(party))));
        party.act(abi.encodeCall(IPaymentChannels.withdraw, (address(0), 10, stranger)));
        vm.assertEq(stranger.balance, 10, "sent elsewhere");
        _assertHonestMoneyIsThere();
    }

    /// @dev Two holders of the bad token, with a thousand in the contract each; the first has more,
    /// and has allowed the contract to take it.
    function _share(IERC20 bad) private {
        _approve(bad, holder.addr);
        _approve(bad, other);
        vm.prank(holder.addr);
        (bool moved,) = address(bad).call(abi.encodeCall(IERC20.transfer, (other, SUM)));
        vm.assertTrue(moved, "shared");
        vm.prank(holder.addr);
        channels.deposit(address(bad), SUM);
        vm.prank(other);
        channels.deposit(address(bad), SUM);
    }

    /// @dev A party with code and two thousand of a token that calls it.
    function _party() private returns (HookToken bad, ReentrantParty party) {
        bad = new HookToken(holder.addr, 10 * SUM);
        _share(bad);
        party = new ReentrantParty(bad, address(channels));
        vm.prank(holder.addr);
        bad.transfer(address(party), 2 * SUM);
    }

    /// @dev Called low-level because the silent token's approve returns nothing.
    function _approve(IERC20 bad, address owner) private {
        vm.prank(owner);
        (bool success,) = address(bad)
            .call(abi.encodeCall(IERC20.approve, (address(channels), type(uint256).max)));
        vm.assertTrue(success, "approved");
    }

    function _termsOf(address payer_, address bad)
        private
        view
        returns (IPaymentChannels.Terms memory)
    {
        return IPaymentChannels.Terms(payer_, holder.addr, payee, bad, 1);
    }

    function _openOf(address bad) private returns (IPaymentChannels.Terms memory terms) {
        terms = _termsOf(holder.addr, bad);
        vm.prank(holder.addr);
        channels.open(terms, SUM);
    }

    function _claimOf(IPaymentChannels.Terms memory terms, uint256 amount)
        private
        view
        returns (IPaymentChannels.Claim memory)
    {
        return claimOf(domain, terms, holder.key, amount, ROOT);
    }

    function _assertOtherHolderGets(IERC20 bad) private {
        uint256 before = bad.balanceOf(address(channels));
        vm.prank(other);
        channels.withdraw(address(bad), SUM, other);
        vm.assertEq(before - bad.balanceOf(address(channels)), SUM, "the other holder's");
    }

    /// @dev The honest payer and payee get all that is theirs.
    function _assertHonestMoneyIsThere() private {
        uint256 before = token.balanceOf(payee);
        channels.redeemOne(payee, address(token), _claim(_terms(0), AMOUNT));
        vm.prank(payee);
        channels.withdraw(address(token), AMOUNT, payee);
        vm.assertEq(token.balanceOf(payee) - before, AMOUNT, "the payee's");
        vm.startPrank(payer.addr);
        channels.withdraw(address(token), AMOUNT, payer.addr);
        channels.withdraw(address(0), ETHER_HELD, payer.addr);
        vm.stopPrank();
        vm.assertEq(token.balanceOf(payer.addr), SUPPLY - AMOUNT, "the payer's tokens");
        vm.assertEq(payer.addr.balance, ETHER_HELD, "the payer's ether");
    }
}
