// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {PaymentChannels} from "../src/PaymentChannels.sol";
import {IPaymentChannels} from "../src/interfaces/IPaymentChannels.sol";
import {ChannelsFixture} from "./kit/ChannelsFixture.sol";
import {Wallet} from "./kit/Wallet.sol";

/// @notice Keys that may move a payer's money into channels, and no further.
contract PaymentChannelsSessionsTest is ChannelsFixture {
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

    /// @dev A payer that lowers a limit must not see the old one come back by an old signature.
    function test_authoriseBySignature_isVoidOnceThePayerHasAuthorisedItself() public {
        uint64 expiry = uint64(START_SECONDS + 10);
        bytes memory signature = signLong(payer.key, _sessionDigest(500, expiry, 0));
        vm.prank(payer.addr);
        channels.authorise(key.addr, address(token), 5, expiry);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 500, expiry, signature);
        vm.assertEq(channels.sessionOf(payer.addr, key.addr, address(token)).limit, 5, "limit");
    }

    function test_authoriseBySignature_isWorthlessOnAnotherChainAndContractAndForAnotherPayer()
        public
    {
        uint64 expiry = uint64(START_SECONDS + 10);
        PaymentChannels elsewhere = new PaymentChannels(CHALLENGE_SECONDS, 0, address(0));
        bytes32[2] memory foreign = [
            domainOf(block.chainid + 1, address(channels)),
            domainOf(block.chainid, address(elsewhere))
        ];
        for (uint256 i = 0; i < foreign.length; i++) {
            bytes32 digest =
                sessionDigest(foreign[i], payer.addr, key.addr, address(token), 5, expiry, 0);
            bytes memory theirs = signLong(payer.key, digest);
            _expectAuthorisationNotSigned();
            channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, theirs);
        }
        bytes memory signature = signLong(payer.key, _sessionDigest(5, expiry, 0));
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.AuthorisationNotSigned.selector, stranger)
        );
        channels.authoriseBySignature(stranger, key.addr, address(token), 5, expiry, signature);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, stranger, address(token), 5, expiry, signature);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(0), 5, expiry, signature);

        // After a fork of the chain the signatures of the one side are worthless on the other.
        vm.chainId(block.chainid + 1);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
    }

    /// @dev The chain forgets an authorisation: the same signature brings it back, and only it.
    function test_reorganisation_anAuthorisationThatIsForgottenIsHandedInAgainOnce() public {
        uint64 expiry = uint64(START_SECONDS + 10);
        bytes memory signature = signLong(payer.key, _sessionDigest(5, expiry, 0));
        _deposit(AMOUNT);
        uint256 fork = vm.snapshotState();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
        vm.prank(key.addr);
        channels.open(_terms(0), 5);

        vm.assertTrue(vm.revertToState(fork), "reorganised");
        vm.prank(key.addr);
        _expectNoSession(0);
        channels.open(_terms(0), 5);
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
        vm.prank(key.addr);
        channels.open(_terms(0), 5);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, signature);
        vm.prank(key.addr);
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.SessionLimitExceeded.selector, 0, 1)
        );
        channels.topUp(_terms(0), 1);
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

        bytes memory other = otherForm(signLong(payer.key, _sessionDigest(5, expiry, 0)));
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, other);
        _expectAuthorisationNotSigned();
        channels.authoriseBySignature(payer.addr, key.addr, address(token), 5, expiry, "");
    }
}
