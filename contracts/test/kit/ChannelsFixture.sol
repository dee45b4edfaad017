// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevToken} from "../../src/DevToken.sol";
import {PaymentChannels} from "../../src/PaymentChannels.sol";
import {IPaymentChannels} from "../../src/interfaces/IPaymentChannels.sol";
import {PermitSigner} from "./PermitSigner.sol";
import {VoucherSigner} from "./VoucherSigner.sol";

/// @notice Payment channels with a payer that holds the supply, and what their tests say often.
abstract contract ChannelsFixture is PermitSigner, VoucherSigner {
    uint64 internal constant CHALLENGE_SECONDS = 1 hours;
    uint96 internal constant AMOUNT = 5e6;
    uint256 internal constant SUPPLY = 1000e6;
    bytes32 internal constant ROOT = keccak256("receipts");

    DevToken internal token;
    PaymentChannels internal channels;
    bytes32 internal domain;
    Account internal payer;
    Account internal key;
    address internal payee;
    address internal stranger;
    address internal treasury;

    function setUp() public virtual {
        vm.warp(START_SECONDS);
        payer = newAccount("payer");
        key = newAccount("key");
        payee = newAccount("payee").addr;
        stranger = newAccount("stranger").addr;
        treasury = newAccount("treasury").addr;
        token = new DevToken(payer.addr, SUPPLY);
        _deploy(0);
    }

    function _deploy(uint16 fee) internal {
        channels = new PaymentChannels(CHALLENGE_SECONDS, fee, treasury);
        domain = domainOf(block.chainid, address(channels));
        vm.prank(payer.addr);
        token.approve(address(channels), type(uint256).max);
    }

    function _deposit(uint256 amount) internal {
        vm.prank(payer.addr);
        channels.deposit(address(token), amount);
    }

    function _opened(uint64 salt) internal returns (IPaymentChannels.Terms memory terms) {
        terms = _terms(salt);
        _deposit(AMOUNT);
        vm.prank(payer.addr);
        channels.open(terms, AMOUNT);
    }

    function _terms(uint64 salt) internal view returns (IPaymentChannels.Terms memory) {
        return IPaymentChannels.Terms(payer.addr, payer.addr, payee, address(token), salt);
    }

    function _claim(IPaymentChannels.Terms memory terms, uint256 amount)
        internal
        view
        returns (IPaymentChannels.Claim memory)
    {
        return claimOf(domain, terms, payer.key, amount, ROOT);
    }

    function _channel(IPaymentChannels.Terms memory terms)
        internal
        view
        returns (IPaymentChannels.Channel memory)
    {
        return channels.channelOf(keccak256(abi.encode(terms)));
    }

    function _id(IPaymentChannels.Terms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    function _balance(address account) internal view returns (uint256) {
        return channels.balanceOf(account, address(token));
    }

    function _sessionDigest(uint96 limit, uint64 expiry, uint256 nonce)
        internal
        view
        returns (bytes32)
    {
        return sessionDigest(domain, payer.addr, key.addr, address(token), limit, expiry, nonce);
    }

    function _expectChallengeOutOfRange(uint64 given) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChallengeOutOfRange.selector, given, 1 minutes, 30 days
            )
        );
    }

    function _expectIdUsed(IPaymentChannels.Terms memory terms) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChannelIdUsed.selector, keccak256(abi.encode(terms))
            )
        );
    }

    function _expectNotOpen(IPaymentChannels.Terms memory terms) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.ChannelNotOpen.selector, keccak256(abi.encode(terms))
            )
        );
    }

    function _expectNothing(IPaymentChannels.Terms memory terms, uint256 redeemed) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.NothingToRedeem.selector, keccak256(abi.encode(terms)), redeemed
            )
        );
    }

    function _expectNotSigned(IPaymentChannels.Terms memory terms) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.VoucherNotSigned.selector,
                keccak256(abi.encode(terms)),
                terms.signer
            )
        );
    }

    function _expectNoSession(uint64 expiresAt) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.NoSession.selector, payer.addr, key.addr, expiresAt
            )
        );
    }

    function _expectExpiryOutOfRange(uint64 given) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.ExpiryOutOfRange.selector, given, START_SECONDS)
        );
    }

    function _expectAuthorisationNotSigned() internal {
        vm.expectRevert(
            abi.encodeWithSelector(IPaymentChannels.AuthorisationNotSigned.selector, payer.addr)
        );
    }

    function _expectTooEarly(IPaymentChannels.Terms memory terms, uint64 closesAt) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IPaymentChannels.TooEarlyToClose.selector, keccak256(abi.encode(terms)), closesAt
            )
        );
    }
}
