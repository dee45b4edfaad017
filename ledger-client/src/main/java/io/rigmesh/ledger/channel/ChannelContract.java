package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;

/// What the books need of the channels' contract. Every method that changes something happens at
/// most once under what it is called with, now or before a restart, returns when it is confirmed,
/// and throws what [io.rigmesh.ledger.intent.TransactionSender#send] throws; none has any effect
/// before it is stored. [ChannelClient] is the one on a chain.
public interface ChannelContract {
  /// The EIP-712 domain of its vouchers.
  Domain domain();

  /// The account that sends.
  Address account();

  /// A channel as it was at the confirmation depth.
  ///
  /// @throws io.rigmesh.ledger.ChainUnavailableException if the chain does not answer
  Reading read(ChannelTerms terms);

  /// What this account could move into channels from a payer's money now: its own balance and
  /// wallet, or as a session key what it may still move of another's balance.
  ///
  /// @throws io.rigmesh.ledger.ChainUnavailableException if the chain does not answer
  TokenAmount available(Address payer, Address token);

  /// True if a contract is at the address, so that no key signs for it.
  ///
  /// @throws io.rigmesh.ledger.ChainUnavailableException if the chain does not answer
  boolean isContract(Address account);

  /// Whether the contract of a signer takes a signature over a digest (EIP-1271), for an amount of
  /// gas that whoever hands it in can bear. That is so now; it may think otherwise later.
  ///
  /// @throws io.rigmesh.ledger.ChainUnavailableException if the chain does not answer
  boolean takes(Address signer, Hash digest, WalletSignature signature);

  /// Opens a channel with `amount` in it, taken from the payer's balance in the contract, and what
  /// is missing there from its wallet.
  ///
  /// @return the number of its block
  /// @throws InsufficientFundsException if neither has enough, or the payer's word for this account
  ///   as a session key does not cover it; nothing was sent
  long open(ChannelTerms terms, TokenAmount amount);

  /// Adds `amount` to an open channel.
  ///
  /// @param number counts the top-ups of this channel: the same number happens once
  /// @return the number of its block
  /// @throws InsufficientFundsException as [#open]
  long topUp(ChannelTerms terms, long number, TokenAmount amount);

  /// Asks to close a channel, which starts its challenge time.
  void requestClose(ChannelTerms terms);

  /// Closes a channel whose challenge time is over.
  void close(ChannelTerms terms);

  /// What handing in these vouchers costs in gas now, in wei.
  BigInteger redeemCostWei(Address payee, Address token, List<Claim> claims);

  /// Hands in vouchers of one payee and token in one transaction; one that no key signed goes in
  /// alone. Returns when it is stored and, as far as the chain can be reached, sent.
  ///
  /// @param key names this call for ever
  void submitRedeem(String key, Address payee, Address token, List<Claim> claims);

  /// What became of a call of [#submitRedeem]; empty where it was never stored.
  Optional<Outcome> redeemed(String key);

  /// A channel's state and the block that it was read after.
  ///
  /// @param block the block's number
  /// @param channel the state; empty where there is no such channel yet
  record Reading(long block, Optional<Channel> channel) {}

  /// One voucher to be handed in.
  ///
  /// @param terms the channel
  /// @param voucher its voucher
  record Claim(ChannelTerms terms, SignedVoucher voucher) {}

  /// What became of a transaction.
  sealed interface Outcome {
    /// It is on its way.
    record Open() implements Outcome {}

    /// It is confirmed.
    ///
    /// @param inclusion its block and cost
    record Confirmed(Inclusion inclusion) implements Outcome {}

    /// It will have no effect.
    ///
    /// @param reason a sentence with a remedy
    record Failed(String reason) implements Outcome {}
  }
}
