// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../src/DevToken.sol";
import {PaymentChannels} from "../src/PaymentChannels.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ExactTransfer} from "../src/libraries/ExactTransfer.sol";
import {Fee} from "../src/libraries/Fee.sol";
import {PermitSigner} from "./kit/PermitSigner.sol";
import {Purse, Wallet} from "./kit/Wallet.sol";
import {VoucherSigner} from "./kit/VoucherSigner.sol";

contract PaymentChannelsTest is PermitSigner, VoucherSigner {
    uint64 private constant CHALLENGE_SECONDS = 1 hours;
    uint96 private constant AMOUNT = 5e6;
    uint256 private constant SUPPLY = 1000e6;
    bytes32 private constant ROOT = keccak256("receipts");
    // The order of secp256k1.
    uint256 private constant ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    DevToken private token;
    PaymentChannels private channels;
    bytes32 private domain;
    Account private payer;
    Account private key;
    address private payee;
    address private stranger;
    address private treasury;

    function setUp() public {
        vm.warp(START_SECONDS);
        payer = newAccount("payer");
        key = newAccount("key");
        payee = newAccount("payee").addr;
        stranger = newAccount("stranger").addr;
        treasury = newAccount("treasury").addr;
        token = new DevToken(payer.addr, SUPPLY);
        _deploy(0);
    }

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

    // Session keys.

    function test_session_letsAKeyMoveUpToItsLimitIntoChannels() public {
        _deposit(AMOUNT);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.SessionAuthorised(
            payer.addr, key.addr, address(token), 3, uint64(START_SECONDS + 10)
        );
        vm.prank(payer.addr);
        channels.authorise(key.addr, address(token), 3, uint64(START_SECONDS + 10));
        vm.startPrank(key.addr);
        channels.open(_terms(0), 1);
        channels.topUp(_terms(0), 1);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.SessionLimitExceeded.selector, 1, 2)
        );
        channels.topUp(_terms(0), 2);
        channels.topUp(_terms(0), 1);
        vm.assertEq(channels.sessionOf(payer.addr, key.addr, address(token)).spent, 3, "spent");

        // The key holds nothing: not the balance, and not what is in a channel.
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.BalanceTooSmall.selector, key.addr, address(token), 0, 1
            )
        );
        channels.withdraw(address(token), 1, key.addr);
    }

    function test_session_endsAtItsExpiryAndByRevoking() public {
        _deposit(AMOUNT);
        vm.prank(payer.addr);
        channels.authorise(key.addr, address(token), 9, uint64(START_SECONDS + 10));
        vm.warp(START_SECONDS + 9);
        vm.prank(key.addr);
        channels.open(_terms(0), 1);
        vm.warp(START_SECONDS + 10);
        vm.prank(key.addr);
        _expectNoSession(uint64(START_SECONDS + 10));
        channels.topUp(_terms(0), 1);

        vm.prank(payer.addr);
        channels.authorise(key.addr, address(token), 9, uint64(START_SECONDS + 90));
        vm.expectEmit(address(channels));
        emit IPaymentChannels.SessionRevoked(payer.addr, key.addr, address(token));
        vm.prank(payer.addr);
        channels.revoke(key.addr, address(token));
        vm.prank(key.addr);
        _expectNoSession(0);
        channels.topUp(_terms(0), 1);
    }

    function test_session_isOfOnePayerAndToken() public {
        _deposit(AMOUNT);
        vm.prank(payer.addr);
        channels.authorise(key.addr, address(0), 9, uint64(START_SECONDS + 10));
        vm.prank(stranger);
        channels.authorise(key.addr, address(token), 9, uint64(START_SECONDS + 10));
        vm.prank(key.addr);
        _expectNoSession(0);
        channels.open(_terms(0), 1);
    }

    function test_authorise_refusesNobodyAndTimesThatAreOverOrNoSeconds() public {
        vm.startPrank(payer.addr);
        vm.expectRevert(IPaymentChannels.ZeroAddress.selector);
        channels.authorise(address(0), address(token), 1, uint64(START_SECONDS + 1));
        _expectExpiryOutOfRange(uint64(START_SECONDS));
        channels.authorise(key.addr, address(token), 1, uint64(START_SECONDS));
        uint64 milliseconds = uint64(START_SECONDS * 1000);
        _expectExpiryOutOfRange(milliseconds);
        channels.authorise(key.addr, address(token), 1, milliseconds);
    }

    function test_authoriseBySignature_worksOnceAndForItsWordsAlone() public {
        uint64 expiry = uint64(START_SECONDS + 10);
        bytes memory signature = signLong(payer.key, _sessionDigest(5, expiry, 0));
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 6, expiry, signature);
        vm.prank(stranger);
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
        vm.assertEq(channels.sessionOf(payer.addr, key.addr, address(token)).limit, 5, "limit");
        vm.assertEq(channels.nonces(payer.addr), 1, "nonce");
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
    }

    function test_authoriseBySignature_isVoidOnceThePayerHasRevokedAnything() public {
        uint64 expiry = uint64(START_SECONDS + 10);
        bytes memory signature = signLong(payer.key, _sessionDigest(5, expiry, 0));
        vm.prank(payer.addr);
        channels.revoke(key.addr, address(token));
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
    }

    function test_authoriseBySignature_asksAContractWalletAndRefusesMalleableOnes() public {
        uint64 expiry = uint64(START_SECONDS + 10);
        Wallet wallet = new Wallet(payer.addr);
        bytes32 digest =
            sessionDigest(domain, address(wallet), key.addr, address(token), 5, expiry, 0);
        bytes memory signature = signLong(payer.key, digest);
        channels.authoriseBySignature(
            address(wallet), key.addr, address(token), 5, expiry, signature
        );
        vm.assertEq(channels.sessionOf(address(wallet), key.addr, address(token)).limit, 5, "limit");

        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payer.key, _sessionDigest(5, expiry, 0));
        bytes memory other = abi.encodePacked(r, ORDER - uint256(s), v == 27 ? 28 : 27);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, other);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, "");
    }

    // Redeeming.

    function test_redeemOne_paysWhatIsNewInTheVoucher() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.Redeemed(_id(terms), 2e6, ROOT);
        vm.prank(stranger);
        channels.redeemOne(payee, address(token), _claim(terms, 2e6));
        vm.assertEq(_balance(payee), 2e6, "payee");
        channels.redeemOne(payee, address(token), _claim(terms, 3e6));
        vm.assertEq(_balance(payee), 3e6, "the difference was added");
        vm.assertEq(_channel(terms).redeemed, 3e6, "redeemed");
    }

    function test_redeemOne_paysAVoucherOnceAndNoOlderOne() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        channels.redeemOne(payee, address(token), _claim(terms, 2e6));
        IPaymentChannels.Claim memory again = _claim(terms, 2e6);
        _expectNothing(terms, 2e6);
        channels.redeemOne(payee, address(token), again);
        IPaymentChannels.Claim memory older = _claim(terms, 1e6);
        _expectNothing(terms, 2e6);
        channels.redeemOne(payee, address(token), older);
        vm.assertEq(_balance(payee), 2e6, "once");
    }

    function test_redeemOne_aboveTheDepositPaysWhatIsThereAndTheRestAfterATopUp() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        IPaymentChannels.Claim memory claim = _claim(terms, uint256(AMOUNT) + 7);
        channels.redeemOne(payee, address(token), claim);
        vm.assertEq(_balance(payee), AMOUNT, "all that is there");
        _expectNothing(terms, AMOUNT);
        channels.redeemOne(payee, address(token), claim);
        _deposit(10);
        vm.prank(payer.addr);
        channels.topUp(terms, 10);
        channels.redeemOne(payee, address(token), claim);
        vm.assertEq(_balance(payee), AMOUNT + 7, "and no more than the voucher");
    }

    function test_redeemOne_refusesAnothersSignatureAmountRootOrTerms() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        IPaymentChannels.Claim memory claim = claimOf(domain, terms, key.key, 1e6, ROOT);
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), claim);
        claim = _claim(terms, 1e6);
        claim.amount = 2e6;
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), claim);
        claim = _claim(terms, 1e6);
        claim.receiptsRoot = 0;
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), claim);
        // Other terms are another channel, which is not there.
        claim = _claim(terms, 1e6);
        claim.signer = key.addr;
        IPaymentChannels.Terms memory other = _terms(0);
        other.signer = key.addr;
        _expectNotOpen(other);
        channels.redeemOne(payee, address(token), claim);
        claim = _claim(terms, 1e6);
        other = _terms(0);
        other.payee = stranger;
        _expectNotOpen(other);
        channels.redeemOne(stranger, address(token), claim);
        vm.assertEq(_balance(payee) + _balance(stranger), 0, "nobody was paid");
    }

    function test_redeemOne_refusesAVoucherOfAnotherChainContractOrChannel() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        IPaymentChannels.Terms memory other = _opened(1);
        PaymentChannels elsewhere = new PaymentChannels(CHALLENGE_SECONDS, 0, address(0));
        bytes32[2] memory foreign = [
            domainOf(block.chainid + 1, address(channels)),
            domainOf(block.chainid, address(elsewhere))
        ];
        for (uint256 i = 0; i < foreign.length; i++) {
            IPaymentChannels.Claim memory claim = claimOf(foreign[i], terms, payer.key, 1e6, ROOT);
            _expectNotSigned(terms);
            channels.redeemOne(payee, address(token), claim);
        }
        IPaymentChannels.Claim memory moved = _claim(other, 1e6);
        moved.payerAndSalt = _claim(terms, 1e6).payerAndSalt;
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), moved);

        // After a fork of the chain the signatures of the one side are worthless on the other.
        IPaymentChannels.Claim memory before = _claim(terms, 1e6);
        vm.chainId(block.chainid + 1);
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), before);
    }

    function test_redeemOne_refusesTheOtherFormOfASignature() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        bytes32 digest = voucherDigest(domain, _id(terms), 1e6, ROOT);
        IPaymentChannels.Claim memory claim = _claim(terms, 1e6);
        for (uint96 amount = 1e6; amount < 1e6 + 64; amount++) {
            digest = voucherDigest(domain, _id(terms), amount, ROOT);
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(payer.key, digest);
            uint256 high = ORDER - uint256(s);
            // Only where the upper half still fits beside v does the short form have a second one.
            if (high >= 1 << 255) continue;
            claim = _claim(terms, amount);
            claim.r = r;
            claim.vs = bytes32(high | (uint256(v == 27 ? 1 : 0) << 255));
            _expectNotSigned(terms);
            channels.redeemOne(payee, address(token), claim);
        }
        // The ecrecover precompile answers nothing for these, which is nobody and not address zero.
        claim.r = 0;
        claim.vs = 0;
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), claim);
    }

    function test_redeem_paysManyChannelsAndPassesBadOnesOver() public {
        IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](6);
        claims[0] = _claim(_opened(0), 1e6);
        claims[1] = claimOf(domain, _opened(1), key.key, 1e6, ROOT);
        claims[2] = _claim(_terms(99), 1e6);
        claims[3] = _claim(_opened(3), 2e6);
        claims[4] = claims[0];
        claims[5] = _claim(_terms(3), 3e6);
        // Words that no type allows are refused like any other, and stop nobody.
        claims[2].amount = type(uint256).max;

        bytes32 bad = _id(_terms(1));
        vm.expectEmit(address(channels));
        emit IPaymentChannels.ClaimRefused(bad, IPaymentChannels.Refusal.BadSignature);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.ClaimRefused(_id(_terms(99)), IPaymentChannels.Refusal.NotOpen);
        vm.expectEmit(address(channels));
        emit IPaymentChannels.ClaimRefused(_id(_terms(0)), IPaymentChannels.Refusal.NothingNew);
        uint256 paid = channels.redeem(payee, address(token), claims);
        vm.assertEq(paid, 4e6, "paid");
        vm.assertEq(_balance(payee), 4e6, "payee");
        vm.assertEq(channels.redeem(payee, address(token), claims), 0, "none pays twice");
        vm.assertEq(_balance(payee), 4e6, "payee still");
        channels.redeem(payee, address(token), new IPaymentChannels.Claim[](0));
    }

    function test_redeem_inEther() public {
        vm.deal(payer.addr, 10);
        IPaymentChannels.Terms memory terms = _terms(0);
        terms.token = address(0);
        vm.startPrank(payer.addr);
        channels.deposit{value: 10}(address(0), 10);
        channels.open(terms, 10);
        vm.stopPrank();
        channels.redeemOne(payee, address(0), _claim(terms, 6));
        vm.prank(payee);
        channels.withdraw(address(0), 6, payee);
        vm.assertEq(payee.balance, 6, "ether");
        vm.prank(payee);
        channels.close(terms);
        vm.assertEq(channels.balanceOf(payer.addr, address(0)), 4, "the rest");
    }

    function test_redeemSigned_asksAContractThatIsTheSigner() public {
        Wallet wallet = new Wallet(payer.addr);
        IPaymentChannels.Terms memory terms = _terms(0);
        terms.signer = address(wallet);
        _deposit(AMOUNT);
        vm.prank(payer.addr);
        channels.open(terms, AMOUNT);
        bytes32 digest = voucherDigest(domain, _id(terms), 1e6, ROOT);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.VoucherNotSigned.selector, _id(terms), wallet)
        );
        channels.redeemSigned(terms, 1e6, ROOT, signLong(key.key, digest));
        channels.redeemSigned(terms, 1e6, ROOT, signLong(payer.key, digest));
        vm.assertEq(_balance(payee), 1e6, "payee");
        _expectNothing(terms, 1e6);
        channels.redeemSigned(terms, 1e6, ROOT, signLong(payer.key, digest));
        _expectNotOpen(_terms(7));
        channels.redeemSigned(_terms(7), 1e6, ROOT, signLong(payer.key, digest));
        wallet.setMood(Purse.Mood.Reverts);
        digest = voucherDigest(domain, _id(terms), 2e6, ROOT);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.VoucherNotSigned.selector, _id(terms), wallet)
        );
        channels.redeemSigned(terms, 2e6, ROOT, signLong(payer.key, digest));
    }

    /// @dev What is written in assembly does what is written in Solidity beside it.
    function testFuzz_redeemOneAndRedeemSigned_doTheSame(
        uint96 deposit,
        uint256 first,
        uint256 second,
        uint64 salt,
        uint16 fee,
        uint32 closing,
        bytes32 root
    ) public {
        deposit = uint96(bound(deposit, 1, SUPPLY));
        if (first % 4 != 0) first = bound(first, 0, uint256(deposit) * 2);
        if (second % 4 != 0) second = bound(second, 0, uint256(deposit) * 2);
        _deploy(uint16(bound(fee, 0, 500)));
        _deposit(deposit);
        IPaymentChannels.Terms memory terms = _terms(salt);
        vm.prank(payer.addr);
        channels.open(terms, deposit);
        if (closing % 4 != 0) {
            vm.warp(START_SECONDS + closing);
            vm.prank(payer.addr);
            channels.requestClose(terms);
        }
        if (closing % 8 == 7) {
            vm.prank(payee);
            channels.close(terms);
        }
        uint256 state = vm.snapshotState();

        bytes32[2] memory seen;
        for (uint256 way = 0; way < 2; way++) {
            bytes32 outcome = _outcome(terms, way == 0, first, root, 0);
            seen[way] = _outcome(terms, way == 0, second, root, outcome);
            vm.assertTrue(vm.revertToState(state), "state restored");
            state = vm.snapshotState();
        }
        vm.assertEq(seen[0], seen[1], "the same results, events and state");
    }

    function _outcome(
        IPaymentChannels.Terms memory terms,
        bool one,
        uint256 amount,
        bytes32 root,
        bytes32 before
    ) private returns (bytes32) {
        vm.recordLogs();
        (bool success, bytes memory result) =
            address(channels).call(_redemption(terms, one, amount, root));
        return keccak256(
            abi.encode(
                before,
                success,
                result,
                vm.getRecordedLogs(),
                _channel(terms),
                _balance(payee),
                _balance(treasury)
            )
        );
    }

    function _redemption(
        IPaymentChannels.Terms memory terms,
        bool one,
        uint256 amount,
        bytes32 root
    ) private view returns (bytes memory) {
        if (one) {
            return abi.encodeCall(
                IPaymentChannels.redeemOne,
                (payee, address(token), claimOf(domain, terms, payer.key, amount, root))
            );
        }
        bytes memory signature =
            signLong(payer.key, voucherDigest(domain, _id(terms), amount, root));
        return abi.encodeCall(IPaymentChannels.redeemSigned, (terms, amount, root, signature));
    }

    // The fee.

    function test_fee_isTakenFromWhatIsRedeemedHoweverOften() public {
        _deploy(250);
        IPaymentChannels.Terms memory terms = _opened(0);
        for (uint96 amount = 19; amount <= 1000; amount += 97) {
            channels.redeemOne(payee, address(token), _claim(terms, amount));
        }
        channels.redeemOne(payee, address(token), _claim(terms, 1000));
        vm.assertEq(_balance(treasury), 25, "two and a half in a hundred of all");
        vm.assertEq(_balance(payee), 975, "the rest");

        IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](2);
        claims[0] = _claim(terms, 2000);
        claims[1] = _claim(_opened(1), 1000);
        vm.assertEq(channels.redeem(payee, address(token), claims), 1950, "paid");
        vm.assertEq(_balance(treasury), 75, "fees of a batch");
        vm.assertEq(_balance(payee), 975 + 1950, "payee");
    }

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

    function _deploy(uint16 fee) private {
        channels = new PaymentChannels(CHALLENGE_SECONDS, fee, treasury);
        domain = domainOf(block.chainid, address(channels));
        vm.prank(payer.addr);
        token.approve(address(channels), type(uint256).max);
    }

    function _deposit(uint256 amount) private {
        vm.prank(payer.addr);
        channels.deposit(address(token), amount);
    }

    function _opened(uint64 salt) private returns (IPaymentChannels.Terms memory terms) {
        terms = _terms(salt);
        _deposit(AMOUNT);
        vm.prank(payer.addr);
        channels.open(terms, AMOUNT);
    }

    function _terms(uint64 salt) private view returns (IPaymentChannels.Terms memory) {
        return IPaymentChannels.Terms(payer.addr, payer.addr, payee, address(token), salt);
    }

    function _claim(IPaymentChannels.Terms memory terms, uint256 amount)
        private
        view
        returns (IPaymentChannels.Claim memory)
    {
        return claimOf(domain, terms, payer.key, amount, ROOT);
    }

    function _channel(IPaymentChannels.Terms memory terms)
        private
        view
        returns (IPaymentChannels.Channel memory)
    {
        return channels.channelOf(keccak256(abi.encode(terms)));
    }

    function _id(IPaymentChannels.Terms memory terms) private pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    function _balance(address account) private view returns (uint256) {
        return channels.balanceOf(account, address(token));
    }

    function _sessionDigest(uint96 limit, uint64 expiry, uint256 nonce)
        private
        view
        returns (bytes32)
    {
        return sessionDigest(domain, payer.addr, key.addr, address(token), limit, expiry, nonce);
    }

    function _expectChallengeOutOfRange(uint64 given) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChallengeOutOfRange.selector, given, 1 minutes, 30 days
            )
        );
    }

    function _expectIdUsed(IPaymentChannels.Terms memory terms) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChannelIdUsed.selector, keccak256(abi.encode(terms))
            )
        );
    }

    function _expectNotOpen(IPaymentChannels.Terms memory terms) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChannelNotOpen.selector, keccak256(abi.encode(terms))
            )
        );
    }

    function _expectNothing(IPaymentChannels.Terms memory terms, uint256 redeemed) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.NothingToRedeem.selector, keccak256(abi.encode(terms)), redeemed
            )
        );
    }

    function _expectNotSigned(IPaymentChannels.Terms memory terms) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.VoucherNotSigned.selector,
                keccak256(abi.encode(terms)),
                terms.signer
            )
        );
    }

    function _expectNoSession(uint64 expiresAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.NoSession.selector, payer.addr, key.addr, expiresAt
            )
        );
    }

    function _expectExpiryOutOfRange(uint64 given) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.ExpiryOutOfRange.selector, given, START_SECONDS)
        );
    }

    function _expectAuthorisationNotSigned() private {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.AuthorisationNotSigned.selector, payer.addr)
        );
    }

    function _expectTooEarly(IPaymentChannels.Terms memory terms, uint64 closesAt) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.TooEarlyToClose.selector, keccak256(abi.encode(terms)), closesAt
            )
        );
    }
}
