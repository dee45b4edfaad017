// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Stake of providers
/// @notice A provider locks tokens here that it loses when a referee finds it cheating. Stake on
/// its way out stays at risk until the unbonding time has passed, so that a provider cannot leave
/// between a wrong result and its discovery. Amounts are in the token's smallest unit, times in
/// unix seconds of the block.
interface IProviderRegistry {
    /// @notice `amount` was added to the provider's stake, which is now `bonded`.
    event Staked(address indexed provider, uint256 amount, uint256 bonded);

    /// @notice `amount` more began to unbond; all of the pending may leave at `withdrawableAt`.
    event UnbondRequested(address indexed provider, uint256 amount, uint64 withdrawableAt);

    /// @notice The provider took out `amount`, all that had been unbonding.
    event Withdrawn(address indexed provider, uint256 amount);

    /// @notice The referee took `amount` of the provider's stake for `beneficiary`.
    event Slashed(address indexed provider, uint256 amount, address indexed beneficiary);

    /// @notice The account says that the libp2p peer is its own, and gives the peer's word for it.
    event PeerBound(address indexed account, bytes peerId, bytes peerSignature);

    /// @notice An amount of zero was named where something has to move.
    error ZeroAmount();

    /// @notice The stake would no longer fit in the 96 bits that one account's stake may have.
    error StakeTooLarge(uint256 amount);

    /// @notice More was asked to unbond than is bonded.
    error UnbondExceedsStake(uint256 amount, uint256 bonded);

    /// @notice Nothing is unbonding: ask for it with requestUnbond first.
    error NothingUnbonding();

    /// @notice The unbonding time has not passed: withdraw works from `withdrawableAt` on.
    error StillUnbonding(uint64 withdrawableAt);

    /// @notice Only the referee may slash.
    error NotReferee(address caller);

    /// @notice The provider has neither stake nor unbonding stake left to take.
    error NothingToSlash(address provider);

    /// @notice Slashed stake must go somewhere: the zero address was named.
    error ZeroBeneficiary();

    /// @notice The unbonding time given at deployment is above the longest one allowed.
    error UnbondingTooLong(uint64 unbondingSeconds, uint64 unbondingSecondsMax);

    /// @notice No peer id has that many bytes.
    error PeerIdLength(uint256 length);

    /// @notice No signature of a peer's key has that many bytes.
    error PeerSignatureLength(uint256 length);

    /// @notice The token that stake is held in.
    function token() external view returns (IERC20);

    /// @notice How long stake stays at risk after it was asked back, in seconds.
    function unbondingSeconds() external view returns (uint64);

    /// @notice The only account that may slash; zero where nobody may.
    function referee() external view returns (address);

    /// @notice Adds `amount` of the caller's tokens to its stake; needs an allowance for it.
    function stake(uint256 amount) external;

    /// @notice The same with an EIP-2612 permit in place of an allowance.
    /// @param amount What to stake, and what the permit is for.
    /// @param permitDeadline The deadline signed in the permit.
    /// @param v The recovery id of the permit's signature.
    /// @param r The first half of the permit's signature.
    /// @param s The second half of the permit's signature.
    function stakeWithPermit(uint256 amount, uint256 permitDeadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Starts to take `amount` out of the caller's stake. There is one pending amount for
    /// each provider: a further request adds to it and starts its clock again.
    function requestUnbond(uint256 amount) external;

    /// @notice Pays out all that the caller had unbonding, once its time has passed.
    function withdraw() external;

    /// @notice Takes up to `amount` from a provider that was found cheating: from its stake first,
    /// then from what is unbonding. It takes what there is when there is less, so that a provider
    /// cannot stop it by moving a part out just before.
    /// @return taken What was taken and paid to `beneficiary`.
    function slash(address provider, uint256 amount, address beneficiary)
        external
        returns (uint256 taken);

    /// @notice Binds a libp2p peer to the caller's account, in place of the one before.
    /// @dev This transaction is the account's word; the peer's is its signature over the text
    /// "rigmesh-peer-binding-v1", the chain's id in 8 bytes, this contract's address and the account.
    /// The chain cannot check an Ed25519 signature at a sensible price, so every reader does, and takes
    /// a binding whose signature is false as none.
    /// @param peerId The peer's id, as libp2p writes it in bytes: at most 64.
    /// @param peerSignature The signature by the peer's key: at most 1,024 bytes.
    function bindPeer(bytes calldata peerId, bytes calldata peerSignature) external;

    /// @notice The peer that the account says is its own; empty where it never said so. Check the
    /// signature before you believe it, see {bindPeer}.
    function peerOf(address account)
        external
        view
        returns (bytes memory peerId, bytes memory peerSignature);

    /// @notice The stake of a provider.
    /// @return bonded What counts as stake.
    /// @return unbonding What is on its way out, still at risk.
    /// @return withdrawableAt When the unbonding amount may leave; zero when there is none.
    function stakeOf(address provider)
        external
        view
        returns (uint256 bonded, uint256 unbonding, uint64 withdrawableAt);
}
