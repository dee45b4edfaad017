// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IProviderRegistry} from "./interfaces/IProviderRegistry.sol";
import {ExactTransfer} from "./libraries/ExactTransfer.sol";

/// @title Stake of providers
/// @notice See {IProviderRegistry}. There is no owner and no upgrade: tokens leave by a provider's
/// own withdrawal or by the referee's slash, never otherwise.
/// @dev The token must not shrink balances by itself and must not charge the sender more than the
/// amount of a transfer; deposits are measured, withdrawals cannot be.
contract ProviderRegistry is IProviderRegistry, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ExactTransfer for IERC20;

    /// @dev One storage slot. 96 bits hold 79 thousand million tokens of 18 decimals.
    struct Stake {
        uint96 bonded;
        uint96 unbonding;
        uint64 withdrawableAt;
    }

    /// @dev What an account says of its peer; nobody has checked the signature.
    struct Peer {
        bytes id;
        bytes signature;
    }

    uint256 private constant PEER_ID_BYTES_MAX = 64;
    // An RSA key of 8,192 bits signs with as many; an Ed25519 key with 64 bytes.
    uint256 private constant PEER_SIGNATURE_BYTES_MAX = 1024;

    /// @notice The longest unbonding time a deployment may choose, in seconds.
    uint64 public constant UNBONDING_SECONDS_MAX = 365 days;

    /// @inheritdoc IProviderRegistry
    IERC20 public immutable override token;

    /// @inheritdoc IProviderRegistry
    uint64 public immutable override unbondingSeconds;

    /// @inheritdoc IProviderRegistry
    address public immutable override referee;

    mapping(address provider => Stake) private _stakes;
    mapping(address account => Peer) private _peers;

    /// @param token_ The token that stake is held in.
    /// @param unbondingSeconds_ How long stake stays at risk after it was asked back.
    /// @param referee_ The only account that may slash; zero for a registry where nobody may.
    constructor(IERC20 token_, uint64 unbondingSeconds_, address referee_) {
        token_.requireToken();
        if (unbondingSeconds_ > UNBONDING_SECONDS_MAX) {
            revert UnbondingTooLong(unbondingSeconds_, UNBONDING_SECONDS_MAX);
        }
        token = token_;
        unbondingSeconds = unbondingSeconds_;
        referee = referee_;
    }

    /// @inheritdoc IProviderRegistry
    function stake(uint256 amount) external override nonReentrant {
        _stake(amount);
    }

    /// @inheritdoc IProviderRegistry
    function stakeWithPermit(uint256 amount, uint256 permitDeadline, uint8 v, bytes32 r, bytes32 s)
        external
        override
        nonReentrant
    {
        token.usePermit(msg.sender, amount, permitDeadline, v, r, s);
        _stake(amount);
    }

    /// @inheritdoc IProviderRegistry
    function requestUnbond(uint256 amount) external override nonReentrant {
        if (amount == 0) revert ZeroAmount();
        Stake memory held = _stakes[msg.sender];
        if (amount > held.bonded) revert UnbondExceedsStake(amount, held.bonded);

        // Both casts are exact: amount is at most bonded, and bonded + unbonding fits in 96 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        held.bonded -= uint96(amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        held.unbonding += uint96(amount);
        held.withdrawableAt = uint64(block.timestamp) + unbondingSeconds;
        _stakes[msg.sender] = held;

        emit UnbondRequested(msg.sender, amount, held.withdrawableAt);
    }

    /// @inheritdoc IProviderRegistry
    function withdraw() external override nonReentrant {
        Stake memory held = _stakes[msg.sender];
        if (held.unbonding == 0) revert NothingUnbonding();
        if (block.timestamp < held.withdrawableAt) revert StillUnbonding(held.withdrawableAt);

        uint256 amount = held.unbonding;
        held.unbonding = 0;
        held.withdrawableAt = 0;
        _stakes[msg.sender] = held;

        emit Withdrawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IProviderRegistry
    function slash(address provider, uint256 amount, address beneficiary)
        external
        override
        nonReentrant
        returns (uint256 taken)
    {
        if (msg.sender != referee) revert NotReferee(msg.sender);
        if (amount == 0) revert ZeroAmount();
        if (beneficiary == address(0)) revert ZeroBeneficiary();
        Stake memory held = _stakes[provider];
        uint256 atRisk = uint256(held.bonded) + held.unbonding;
        if (atRisk == 0) revert NothingToSlash(provider);

        taken = amount < atRisk ? amount : atRisk;
        uint256 fromBonded = taken < held.bonded ? taken : held.bonded;
        // Both casts are exact: each part is at most what the 96-bit field holds.
        // forge-lint: disable-next-line(unsafe-typecast)
        held.bonded -= uint96(fromBonded);
        // forge-lint: disable-next-line(unsafe-typecast)
        held.unbonding -= uint96(taken - fromBonded);
        if (held.unbonding == 0) held.withdrawableAt = 0;
        _stakes[provider] = held;

        emit Slashed(provider, taken, beneficiary);
        token.safeTransfer(beneficiary, taken);
    }

    /// @inheritdoc IProviderRegistry
    function bindPeer(bytes calldata peerId, bytes calldata peerSignature) external override {
        if (peerId.length == 0 || peerId.length > PEER_ID_BYTES_MAX) {
            revert PeerIdLength(peerId.length);
        }
        if (peerSignature.length == 0 || peerSignature.length > PEER_SIGNATURE_BYTES_MAX) {
            revert PeerSignatureLength(peerSignature.length);
        }
        _peers[msg.sender] = Peer(peerId, peerSignature);

        emit PeerBound(msg.sender, peerId, peerSignature);
    }

    /// @inheritdoc IProviderRegistry
    function peerOf(address account)
        external
        view
        override
        returns (bytes memory peerId, bytes memory peerSignature)
    {
        Peer storage peer = _peers[account];
        return (peer.id, peer.signature);
    }

    /// @inheritdoc IProviderRegistry
    function stakeOf(address provider)
        external
        view
        override
        returns (uint256 bonded, uint256 unbonding, uint64 withdrawableAt)
    {
        Stake memory held = _stakes[provider];
        return (held.bonded, held.unbonding, held.withdrawableAt);
    }

    /// @dev The stake is credited before the token is called; the measured deposit then either
    /// covers it or takes the whole transaction back.
    function _stake(uint256 amount) private {
        if (amount == 0) revert ZeroAmount();
        Stake memory held = _stakes[msg.sender];
        // The sum with what is unbonding must fit as well, since a slash or a second request adds them.
        if (amount > uint256(type(uint96).max) - held.bonded - held.unbonding) {
            revert StakeTooLarge(amount);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        held.bonded += uint96(amount);
        _stakes[msg.sender] = held;

        emit Staked(msg.sender, amount, held.bonded);
        token.takeExactly(msg.sender, amount);
    }
}
