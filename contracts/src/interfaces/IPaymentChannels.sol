// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title One-way payment channels
/// @notice A payer puts money into a channel for one payee, and pays out of it by signing vouchers
/// that travel beside the work. A voucher names all that the channel owes so far, so the payee keeps
/// the newest alone, and hands it in when the amount is worth its gas.
///
///     deposit --> balance -- open, topUp --> channel -- redeem --> the payee's balance --> withdraw
///                    ^                          |
///                    +--- close, what is left --+
///
/// Money moves between balances and channels inside the contract, so that thousands of vouchers
/// need one transfer of the token. Token zero is ether. Amounts are in the token's smallest unit,
/// times in unix seconds of the block.
interface IPaymentChannels {
    /// @notice What a channel is, for ever. Its id is the hash of these five words.
    struct Terms {
        // Whose balance the money comes from, and goes back to.
        address payer;
        // Who signs the vouchers: the payer itself, a key that it trusts with this channel, or a
        // contract that answers EIP-1271.
        address signer;
        // Who is paid.
        address payee;
        // What it is paid in; zero is ether.
        address token;
        // Tells the channels of the same four apart.
        uint64 salt;
    }

    /// @notice Where a channel stands, in one storage slot. All zero where it was never opened.
    struct Channel {
        // All that was ever put in.
        uint96 deposit;
        // All that was ever paid out to the payee, fee included.
        uint96 redeemed;
        // Zero while open; when anybody may close it, once that was asked for; the largest value
        // once it is closed, which is for ever: an id is used once.
        uint40 closesAt;
    }

    /// @notice What a key may move from its payer's balance into channels, in one storage slot.
    struct Session {
        uint96 limit;
        uint96 spent;
        // The key may act in blocks before this time.
        uint40 expiresAt;
    }

    /// @notice A voucher, and of its channel's terms what the call does not say by itself.
    struct Claim {
        // The payer in the upper 20 bytes, the salt in the lower 12: a word of calldata less.
        bytes32 payerAndSalt;
        address signer;
        // All that the channel owes so far.
        uint256 amount;
        // The Merkle root of the receipts that are paid so far.
        bytes32 receiptsRoot;
        // The signature in the short form of EIP-2098.
        bytes32 r;
        bytes32 vs;
    }

    /// @notice Why a claim of a batch was passed over.
    enum Refusal {
        // There is no such channel, or it is closed.
        NotOpen,
        // The channel has paid this amount, or all that it holds, already.
        NothingNew,
        // The channel's signer did not sign this.
        BadSignature
    }

    /// @notice `amount` came into the account's balance from outside.
    event Deposited(address indexed account, address indexed token, uint256 amount);

    /// @notice `amount` left the account's balance to `to`.
    event Withdrawn(
        address indexed account, address indexed token, uint256 amount, address indexed to
    );

    /// @notice `key` may move up to `limit` of the payer's balance into channels before `expiresAt`.
    /// What it had moved before does not count against the new limit.
    event SessionAuthorised(
        address indexed payer,
        address indexed key,
        address indexed token,
        uint96 limit,
        uint64 expiresAt
    );

    /// @notice The key may move nothing any more.
    event SessionRevoked(address indexed payer, address indexed key, address indexed token);

    /// @notice A channel came to be, with `amount` in it.
    event Opened(
        bytes32 indexed channel,
        address indexed payer,
        address indexed payee,
        address signer,
        address token,
        uint64 salt,
        uint96 amount
    );

    /// @notice `amount` was added; `deposit` is now all that was ever put in.
    event ToppedUp(bytes32 indexed channel, uint96 amount, uint96 deposit);

    /// @notice A voucher was handed in: `redeemed` is now all that was ever paid out, for the
    /// receipts under `receiptsRoot`.
    event Redeemed(bytes32 indexed channel, uint96 redeemed, bytes32 receiptsRoot);

    /// @notice The channel may be closed by anybody from `closesAt` on. Until then vouchers are taken.
    event CloseRequested(bytes32 indexed channel, uint64 closesAt);

    /// @notice The channel is over. `returned` went back to the payer's balance.
    event Closed(bytes32 indexed channel, uint96 redeemed, uint96 returned);

    /// @notice A claim of a batch was passed over; the others were not touched by that.
    event ClaimRefused(bytes32 indexed channel, Refusal reason);

    /// @notice An amount of zero was named where something has to move.
    error ZeroAmount();

    /// @notice More was named than 96 bits hold.
    error AmountTooLarge(uint256 amount);

    /// @notice The zero address was named as payer, signer, payee, key or recipient.
    error ZeroAddress();

    /// @notice The ether sent is not the amount named: for a token it must be none.
    error EtherNotExact(uint256 amountNamed, uint256 amountSent);

    /// @notice The recipient refused the ether.
    error EtherRefused(address recipient);

    /// @notice The account's balance inside this contract does not cover the amount.
    error BalanceTooSmall(address account, address token, uint256 balance, uint256 amount);

    /// @notice There is no such channel, or it is closed.
    error ChannelNotOpen(bytes32 channel);

    /// @notice A channel of these terms exists or has existed: choose another salt.
    error ChannelIdUsed(bytes32 channel);

    /// @notice The channel is being closed, at `closesAt`: open another.
    error ChannelClosing(bytes32 channel, uint64 closesAt);

    /// @notice The channel cannot be closed by this caller before `closesAt`; zero where nobody has
    /// asked to close it.
    error TooEarlyToClose(bytes32 channel, uint64 closesAt);

    /// @notice Only the channel's payer or signer may ask to close it.
    error NotPayerOrSigner(address caller);

    /// @notice The channel has paid as much as this voucher says, or all that it holds, already.
    error NothingToRedeem(bytes32 channel, uint256 redeemed);

    /// @notice The voucher is not signed by the channel's signer.
    error VoucherNotSigned(bytes32 channel, address signer);

    /// @notice The caller is no key of the payer for this token, or no longer one.
    error NoSession(address payer, address key, uint64 expiresAt);

    /// @notice The key may move `left` more, less than the amount.
    error SessionLimitExceeded(uint256 left, uint256 amount);

    /// @notice The authorisation is not signed by the payer.
    error AuthorisationNotSigned(address payer);

    /// @notice The time given does not fit in 40 bits, or is over. Seconds are meant.
    error ExpiryOutOfRange(uint64 expiresAt, uint256 timestamp);

    /// @notice The challenge time given at deployment lies outside what is allowed.
    error ChallengeOutOfRange(uint64 challengeSeconds, uint64 least, uint64 most);

    /// @notice How long vouchers are still taken after it was asked to close a channel, in seconds.
    function challengeSeconds() external view returns (uint64);

    /// @notice The part of what is redeemed that goes to the treasury, in ten-thousandths.
    function feeBasisPoints() external view returns (uint16);

    /// @notice The account that fees are credited to.
    function treasury() external view returns (address);

    /// @notice The EIP-712 domain separator of vouchers and session keys on this chain.
    function domainSeparator() external view returns (bytes32);

    /// @notice Puts `amount` into the caller's balance: tokens from an allowance, or the ether sent.
    function deposit(address token, uint256 amount) external payable;

    /// @notice The same with an EIP-2612 permit in place of an allowance.
    /// @param token The token.
    /// @param amount What to deposit, and what the permit is for.
    /// @param permitDeadline The deadline signed in the permit.
    /// @param v The recovery id of the permit's signature.
    /// @param r The first half of the permit's signature.
    /// @param s The second half of the permit's signature.
    function depositWithPermit(
        address token,
        uint256 amount,
        uint256 permitDeadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Sends `amount` of the caller's balance to `to`.
    function withdraw(address token, uint256 amount, address to) external;

    /// @notice Lets `key` move up to `limit` of the caller's balance into channels before `expiresAt`,
    /// in place of what it could before, and makes void what the caller signed for
    /// {authoriseBySignature} and nobody has handed in.
    function authorise(address key, address token, uint96 limit, uint64 expiresAt) external;

    /// @notice The same by the payer's EIP-712 or EIP-1271 signature over
    /// SessionKey(payer, key, token, limit, expiresAt, nonce); handed in by anybody.
    function authoriseBySignature(
        address payer,
        address key,
        address token,
        uint96 limit,
        uint64 expiresAt,
        bytes calldata signature
    ) external;

    /// @notice Takes the key's right away, and makes void what the caller signed for
    /// {authoriseBySignature} and nobody has handed in.
    function revoke(address key, address token) external;

    /// @notice Opens a channel with `amount` of the payer's balance; by the payer or a key of it.
    /// @return channel The channel's id.
    function open(Terms calldata terms, uint96 amount) external returns (bytes32 channel);

    /// @notice Adds `amount` of the payer's balance to an open channel; by the payer or a key of it.
    function topUp(Terms calldata terms, uint96 amount) external;

    /// @notice Hands in vouchers of many channels of one payee and token; by anybody. A claim that
    /// cannot be paid is passed over with {ClaimRefused}. A voucher above the channel's deposit pays
    /// what is there, and the rest after a top-up.
    /// @return paid What was added to the payee's balance.
    function redeem(address payee, address token, Claim[] calldata claims)
        external
        returns (uint256 paid);

    /// @notice Hands in one voucher; reverts where it cannot be paid.
    function redeemOne(address payee, address token, Claim calldata claim) external;

    /// @notice Hands in one voucher with a signature of any length, which a contract that is the
    /// channel's signer checks by EIP-1271.
    function redeemSigned(
        Terms calldata terms,
        uint256 amount,
        bytes32 receiptsRoot,
        bytes calldata signature
    ) external;

    /// @notice Starts the challenge time, after which the rest goes back; by the payer or signer.
    function requestClose(Terms calldata terms) external;

    /// @notice Ends a channel: by the payee at any time, by anybody once its challenge time is over.
    function close(Terms calldata terms) external;

    /// @notice The id of the channel of these terms.
    function idOf(Terms calldata terms) external pure returns (bytes32 channel);

    /// @notice Where a channel stands; all zero where it was never opened.
    function channelOf(bytes32 channel) external view returns (Channel memory);

    /// @notice What an account could withdraw.
    function balanceOf(address account, address token) external view returns (uint256);

    /// @notice What a key may do for a payer.
    function sessionOf(address payer, address key, address token)
        external
        view
        returns (Session memory);
}
