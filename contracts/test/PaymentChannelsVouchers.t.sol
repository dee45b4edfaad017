// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PaymentChannels} from "../src/PaymentChannels.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./kit/ChannelsFixture.sol";
import {Purse, Wallet} from "./kit/Wallet.sol";

/// @notice What a voucher pays, to whom, and how often: the difference, the payee, once.
contract PaymentChannelsVouchersTest is ChannelsFixture {
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

    /// @dev The second form has an s in the upper half. The short form has 255 bits for s, which do not
    /// hold it but for one signature in 2^127, so that all that can be handed in is a part of it.
    function test_redeemOne_refusesTheOtherFormOfASignature() public {
        IPaymentChannels.Terms memory terms = _opened(0);
        IPaymentChannels.Claim memory claim;
        for (uint96 amount = 1e6; amount < 1e6 + 16; amount++) {
            claim = _claim(terms, amount);
            uint256 v = uint256(claim.vs) >> 255 << 255;
            uint256 high = ORDER - (uint256(claim.vs) ^ v);
            vm.assertGt(high, 1 << 255, "no room for it");
            uint256 rest = high - (1 << 255);
            bytes32[4] memory others = [
                bytes32(high),
                bytes32(rest),
                // The first form with the other v.
                claim.vs ^ bytes32(uint256(1 << 255)),
                bytes32(ORDER)
            ];
            for (uint256 i = 0; i < others.length; i++) {
                claim.vs = others[i];
                _expectNotSigned(terms);
                channels.redeemOne(payee, address(token), claim);
            }
        }
        // The ecrecover precompile answers nothing for these, which is nobody and not address zero.
        claim.r = 0;
        claim.vs = 0;
        _expectNotSigned(terms);
        channels.redeemOne(payee, address(token), claim);
        vm.assertEq(_balance(payee), 0, "nothing was paid");
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

    function test_redeemSigned_refusesTheOtherFormAndVouchersOfAnotherChainContractOrChannel()
        public
    {
        IPaymentChannels.Terms memory terms = _opened(0);
        IPaymentChannels.Terms memory other = _opened(1);
        PaymentChannels elsewhere = new PaymentChannels(CHALLENGE_SECONDS, 0, address(0));
        bytes memory good = signLong(payer.key, voucherDigest(domain, _id(terms), 1e6, ROOT));
        bytes[4] memory bad = [
            otherForm(good),
            signLong(
                payer.key,
                voucherDigest(domainOf(block.chainid + 1, address(channels)), _id(terms), 1e6, ROOT)
            ),
            signLong(
                payer.key,
                voucherDigest(domainOf(block.chainid, address(elsewhere)), _id(terms), 1e6, ROOT)
            ),
            signLong(payer.key, voucherDigest(domain, _id(other), 1e6, ROOT))
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            _expectNotSigned(terms);
            channels.redeemSigned(terms, 1e6, ROOT, bad[i]);
        }
        channels.redeemSigned(terms, 1e6, ROOT, good);
        vm.assertEq(_balance(payee), 1e6, "paid once");
        _expectNothing(terms, 1e6);
        channels.redeemSigned(terms, 1e6, ROOT, otherForm(good));
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
}
