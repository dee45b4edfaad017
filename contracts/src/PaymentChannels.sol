// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IPaymentChannels} from "./interfaces/IPaymentChannels.sol";
import {ChannelSlot, ChannelSlots} from "./libraries/ChannelSlot.sol";
import {Claims} from "./libraries/Claims.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";
import {Fee} from "./libraries/Fee.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title One-way payment channels
/// @notice See {IPaymentChannels}. There is no owner and no upgrade: what enters leaves by its
/// account's own withdrawal, never otherwise.
/// @dev Only {deposit}, {depositWithPermit} and {withdraw} call a token or send ether, and they share
/// a reentrancy lock. The others move numbers inside the contract and call nothing but the precompile
/// that recovers a signer, or, without a right to write, a signer's own contract; so a token that
/// calls back in the middle of a deposit can do what anybody can do at any time, and no more.
/// The multicall takes no ether, so that no ether can be counted twice in it.
contract PaymentChannels is IPaymentChannels, EIP712, Multicall, Nonces, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;
    using Claims for Claim;

    /// @dev An amount in the lower bits, and {USED}.
    struct Balance {
        uint256 word;
    }

    /// @dev Set in a balance for ever once it was used, so that a payee who withdraws all does not
    /// pay for a fresh slot with the next redemption.
    uint256 private constant USED = 1 << 255;

    /// @notice The shortest challenge time a deployment may choose, in seconds: a payee needs some
    /// blocks to see that a channel closes, and to hand its voucher in.
    uint64 public constant CHALLENGE_SECONDS_MIN = 1 minutes;

    /// @notice The longest challenge time a deployment may choose, in seconds.
    uint64 public constant CHALLENGE_SECONDS_MAX = 30 days;

    /// @inheritdoc IPaymentChannels
    uint64 public immutable override challengeSeconds;

    /// @inheritdoc IPaymentChannels
    uint16 public immutable override feeBasisPoints;

    /// @inheritdoc IPaymentChannels
    address public immutable override treasury;

    mapping(bytes32 channel => ChannelSlot) private _channels;
    mapping(address account => mapping(address token => Balance)) private _balances;
    mapping(address payer => mapping(address key => mapping(address token => Session))) private
        _sessions;

    /// @param challengeSeconds_ How long vouchers are taken after it was asked to close a channel.
    /// @param feeBasisPoints_ The treasury's part of what is redeemed, in ten-thousandths.
    /// @param treasury_ Who gets it; may be zero where the fee is.
    constructor(uint64 challengeSeconds_, uint16 feeBasisPoints_, address treasury_)
        EIP712("RigMesh", "1")
    {
        if (challengeSeconds_ < CHALLENGE_SECONDS_MIN || challengeSeconds_ > CHALLENGE_SECONDS_MAX)
        {
            revert ChallengeOutOfRange(
                challengeSeconds_, CHALLENGE_SECONDS_MIN, CHALLENGE_SECONDS_MAX
            );
        }
        Fee.requireAllowed(feeBasisPoints_, treasury_);
        challengeSeconds = challengeSeconds_;
        feeBasisPoints = feeBasisPoints_;
        treasury = treasury_;
    }

    // Money in and out.

    /// @inheritdoc IPaymentChannels
    function deposit(address token, uint256 amount) external payable override nonReentrant {
        uint256 etherNamed = token == address(0) ? amount : 0;
        if (msg.value != etherNamed) revert EtherNotExact(etherNamed, msg.value);
        _deposit(token, amount);
    }

    /// @inheritdoc IPaymentChannels
    function depositWithPermit(
        address token,
        uint256 amount,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external override nonReentrant {
        IERC20(token).requireToken();
        IERC20(token).usePermit(msg.sender, amount, permitDeadline, v, r, s);
        _deposit(token, amount);
    }

    /// @inheritdoc IPaymentChannels
    function withdraw(address token, uint256 amount, address to) external override nonReentrant {
        if (to == address(0)) revert ZeroAddress();
        if (amount == 0) revert ZeroAmount();
        _debit(msg.sender, token, amount);

        emit Withdrawn(msg.sender, token, amount, to);
        if (token == address(0)) {
            (bool taken,) = to.call{value: amount}("");
            if (!taken) revert EtherRefused(to);
        } else {
            IERC20(token).safeTransfer(to, amount);
        }
    }

    // Session keys.

    /// @inheritdoc IPaymentChannels
    function authorise(address key, address token, uint96 limit, uint64 expiresAt)
        external
        override
    {
        _useNonce(msg.sender);
        _authorise(msg.sender, key, token, limit, expiresAt);
    }

    /// @inheritdoc IPaymentChannels
    function authoriseBySignature(
        address payer,
        address key,
        address token,
        uint96 limit,
        uint64 expiresAt,
        bytes calldata signature
    ) external override {
        bytes32 structHash = TypedData.hash(
            TypedData.SessionKey({
                payer: payer,
                key: key,
                token: token,
                limit: limit,
                expiresAt: expiresAt,
                nonce: _useNonce(payer)
            })
        );
        if (!Signatures.isSignedBy(payer, _hashTypedDataV4(structHash), signature)) {
            revert AuthorisationNotSigned(payer);
        }
        _authorise(payer, key, token, limit, expiresAt);
    }

    /// @inheritdoc IPaymentChannels
    function revoke(address key, address token) external override {
        _useNonce(msg.sender);
        delete _sessions[msg.sender][key][token];
        emit SessionRevoked(msg.sender, key, token);
    }

    // Channels.

    /// @inheritdoc IPaymentChannels
    function open(Terms calldata terms, uint96 amount) external override returns (bytes32 id) {
        if (terms.signer == address(0) || terms.payee == address(0)) revert ZeroAddress();
        id = idOf(terms);
        // A channel that was ever opened has a deposit for ever.
        if (_channels[id].deposit() != 0) revert ChannelIdUsed(id);

        _spend(terms.payer, terms.token, amount);
        _channels[id] = ChannelSlots.opened(amount);

        emit Opened(id, terms.payer, terms.payee, terms.signer, terms.token, terms.salt, amount);
    }

    /// @inheritdoc IPaymentChannels
    function topUp(Terms calldata terms, uint96 amount) external override {
        (bytes32 id, ChannelSlot channel) = _openChannel(terms);
        uint40 closesAt = channel.closesAt();
        if (closesAt != 0) revert ChannelClosing(id, closesAt);
        uint256 sum = uint256(channel.deposit()) + amount;
        if (sum > type(uint96).max) revert AmountTooLarge(sum);

        _spend(terms.payer, terms.token, amount);
        // Exact: more than 96 bits were refused above.
        // forge-lint: disable-next-line(unsafe-typecast)
        _channels[id] = channel.withDeposit(uint96(sum));

        // forge-lint: disable-next-line(unsafe-typecast)
        emit ToppedUp(id, amount, uint96(sum));
    }

    /// @inheritdoc IPaymentChannels
    function redeem(address payee, address token, Claim[] calldata claims)
        external
        override
        returns (uint256 paid)
    {
        bytes32 separator = _domainSeparatorV4();
        uint256 fees;
        // Nothing here overflows: each part is of 96 bits, and no call has 2^160 claims.
        unchecked {
            for (uint256 i = 0; i < claims.length; ++i) {
                Claim calldata claim = claims[i];
                bytes32 id = claim.channelOf(payee, token);
                (uint256 before, uint256 redeemed) = claim.take(_channels, id, separator);
                if (redeemed == before) {
                    emit ClaimRefused(id, _refusalOf(id, claim.amount));
                    continue;
                }
                paid += redeemed - before;
                if (feeBasisPoints != 0) fees += _feeOf(before, redeemed);
            }
            paid -= fees;
        }
        if (paid != 0) _credit(payee, token, paid);
        if (fees != 0) _credit(treasury, token, fees);
    }

    /// @inheritdoc IPaymentChannels
    function redeemOne(address payee, address token, Claim calldata claim) external override {
        bytes32 id = claim.channelOf(payee, token);
        (uint256 before, uint256 redeemed) = claim.take(_channels, id, _domainSeparatorV4());
        if (redeemed == before) _revertWith(_refusalOf(id, claim.amount), id, claim.signer);
        _creditRedeemed(payee, token, before, redeemed);
    }

    /// @inheritdoc IPaymentChannels
    function redeemSigned(
        Terms calldata terms,
        uint256 amount,
        bytes32 receiptsRoot,
        bytes calldata signature
    ) external override {
        bytes32 id = idOf(terms);
        bytes32 voucher = TypedData.hash(TypedData.Voucher(id, amount, receiptsRoot));
        Refusal refusal = _refusalOf(id, amount);
        if (
            refusal != Refusal.BadSignature
                || !Signatures.isSignedBy(terms.signer, _hashTypedDataV4(voucher), signature)
        ) _revertWith(refusal, id, terms.signer);

        ChannelSlot channel = _channels[id];
        uint96 before = channel.redeemed();
        uint96 redeemed = channel.deposit();
        // Exact: less than the deposit.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (amount < redeemed) redeemed = uint96(amount);
        _channels[id] = channel.withRedeemed(redeemed);
        emit Redeemed(id, redeemed, receiptsRoot);
        _creditRedeemed(terms.payee, terms.token, before, redeemed);
    }

    /// @inheritdoc IPaymentChannels
    function requestClose(Terms calldata terms) external override {
        if (msg.sender != terms.payer && msg.sender != terms.signer) {
            revert NotPayerOrSigner(msg.sender);
        }
        (bytes32 id, ChannelSlot channel) = _openChannel(terms);
        // Asked again, the clock goes on as it was: the one who signs cannot keep the payer waiting.
        uint40 closesAt = channel.closesAt();
        if (closesAt != 0) revert ChannelClosing(id, closesAt);

        // Exact: the sum of two times, which 40 bits hold for another 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        closesAt = uint40(block.timestamp + challengeSeconds);
        _channels[id] = channel.withClosesAt(closesAt);

        emit CloseRequested(id, closesAt);
    }

    /// @inheritdoc IPaymentChannels
    function close(Terms calldata terms) external override {
        (bytes32 id, ChannelSlot channel) = _openChannel(terms);
        uint40 closesAt = channel.closesAt();
        if (msg.sender != terms.payee && (closesAt == 0 || block.timestamp < closesAt)) {
            revert TooEarlyToClose(id, closesAt);
        }

        _channels[id] = channel.withClosesAt(ChannelSlots.CLOSED);
        uint96 redeemed = channel.redeemed();
        uint96 returned = channel.deposit() - redeemed;
        if (returned != 0) _credit(terms.payer, terms.token, returned);

        emit Closed(id, redeemed, returned);
    }

    // What can be read.

    /// @inheritdoc IPaymentChannels
    function idOf(Terms calldata terms) public pure override returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    /// @inheritdoc IPaymentChannels
    function channelOf(bytes32 channel) external view override returns (Channel memory) {
        return _channels[channel].read();
    }

    /// @inheritdoc IPaymentChannels
    function balanceOf(address account, address token) external view override returns (uint256) {
        return _balances[account][token].word & ~USED;
    }

    /// @inheritdoc IPaymentChannels
    function sessionOf(address payer, address key, address token)
        external
        view
        override
        returns (Session memory)
    {
        return _sessions[payer][key][token];
    }

    /// @inheritdoc IPaymentChannels
    function domainSeparator() external view override returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev The balance grows before the token is called; the measured deposit then either covers
    /// it or takes the whole transaction back.
    function _deposit(address token, uint256 amount) private {
        if (amount == 0) revert ZeroAmount();
        if (amount > type(uint96).max) revert AmountTooLarge(amount);
        _credit(msg.sender, token, amount);

        emit Deposited(msg.sender, token, amount);
        if (token != address(0)) {
            IERC20(token).requireToken();
            IERC20(token).takeExactly(msg.sender, amount);
        }
    }

    function _authorise(address payer, address key, address token, uint96 limit, uint64 expiresAt)
        private
    {
        if (key == address(0)) revert ZeroAddress();
        if (expiresAt <= block.timestamp || expiresAt > type(uint40).max) {
            revert ExpiryOutOfRange(expiresAt, block.timestamp);
        }
        // Exact: a time of more than 40 bits was refused above.
        // forge-lint: disable-next-line(unsafe-typecast)
        _sessions[payer][key][token] = Session(limit, 0, uint40(expiresAt));
        emit SessionAuthorised(payer, key, token, limit, expiresAt);
    }

    /// @dev Takes `amount` from the payer's balance for a channel: its own call, or a key's within
    /// what it may.
    function _spend(address payer, address token, uint96 amount) private {
        if (amount == 0) revert ZeroAmount();
        if (msg.sender != payer) {
            Session storage session = _sessions[payer][msg.sender][token];
            uint40 expiresAt = session.expiresAt;
            if (block.timestamp >= expiresAt) revert NoSession(payer, msg.sender, expiresAt);
            uint96 spent = session.spent;
            uint96 left = session.limit - spent;
            if (amount > left) revert SessionLimitExceeded(left, amount);
            session.spent = spent + amount;
        }
        _debit(payer, token, amount);
    }

    function _debit(address account, address token, uint256 amount) private {
        Balance storage balance = _balances[account][token];
        uint256 held = balance.word & ~USED;
        if (amount > held) revert BalanceTooSmall(account, token, held, amount);
        balance.word = (held - amount) | USED;
    }

    /// @dev No deposit is above 96 bits, so that the sum of all of them never reaches bit 255.
    function _credit(address account, address token, uint256 amount) private {
        Balance storage balance = _balances[account][token];
        unchecked {
            balance.word = (balance.word + amount) | USED;
        }
    }

    /// @dev Credits what one voucher paid, less the fee, which is a part of it.
    function _creditRedeemed(address payee, address token, uint256 before, uint256 redeemed)
        private
    {
        unchecked {
            uint256 fee;
            if (feeBasisPoints != 0) {
                fee = _feeOf(before, redeemed);
                if (fee != 0) _credit(treasury, token, fee);
            }
            _credit(payee, token, redeemed - before - fee);
        }
    }

    /// @dev Why a voucher of `amount` is not paid. What remains is that it was not signed.
    function _refusalOf(bytes32 id, uint256 amount) private view returns (Refusal) {
        ChannelSlot channel = _channels[id];
        if (!channel.isOpen()) return Refusal.NotOpen;
        uint256 redeemed = channel.redeemed();
        if (amount <= redeemed || channel.deposit() == redeemed) return Refusal.NothingNew;
        return Refusal.BadSignature;
    }

    /// @dev The fee of all that was ever redeemed, less that of what was before: it does not depend
    /// on how often a payee redeems.
    function _feeOf(uint256 before, uint256 redeemed) private view returns (uint256) {
        return Fee.part(redeemed, feeBasisPoints) - Fee.part(before, feeBasisPoints);
    }

    function _revertWith(Refusal refusal, bytes32 id, address signer) private view {
        if (refusal == Refusal.NotOpen) revert ChannelNotOpen(id);
        if (refusal == Refusal.NothingNew) {
            revert NothingToRedeem(id, _channels[id].redeemed());
        }
        revert VoucherNotSigned(id, signer);
    }

    function _openChannel(Terms calldata terms)
        private
        view
        returns (bytes32 id, ChannelSlot channel)
    {
        id = idOf(terms);
        channel = _channels[id];
        if (!channel.isOpen()) revert ChannelNotOpen(id);
    }
}
