package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.protocol.Hash;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// The stored transactions of one account on one chain. When a method returns, what it wrote
/// survives the loss of power. Safe for use by several threads.
public interface IntentStore {
  /// Ties the store to a chain, the first time, and checks afterwards that it is the same one.
  ///
  /// @throws io.rigmesh.ledger.ChainMismatchException if the store holds transactions of another
  ///   chain with this id
  void bindChain(Hash genesis);

  /// Stores a new intent, or finds the one of this key. A refused one is planned again with the new
  /// call.
  ///
  /// @throws io.rigmesh.ledger.IntentConflictException if the key stands for another purpose
  ///   already
  Intent plan(String key, String purpose, Call call, Instant now);

  /// The intent of a key.
  Optional<Intent> find(String key);

  /// Intents that are not final, in the order of the decisions.
  List<Intent> pending();

  /// Intents whose keys begin with a prefix, in the order of the decisions; all of them for an
  /// empty one.
  List<Intent> list(String keyPrefix);

  /// The newest intents, newest first.
  List<Intent> newest(int limit);

  /// What the transactions in blocks add up to, at the same cost however many there are.
  Totals totals();

  /// Sums of transactions in blocks.
  ///
  /// @param count how many there are, by the first word of their keys
  /// @param gasUsed the gas that they took
  record Totals(Map<String, Long> count, long gasUsed) {}

  /// The highest nonce ever given out, if one was.
  OptionalLong highestNonce();

  /// Gives the nonce to a planned intent and stores its first signed version, both or neither.
  void sign(long intentId, long nonce, Attempt attempt);

  /// Stores another signed version under the nonce that a signed intent has.
  void replace(long intentId, Attempt attempt);

  /// Every signed version of an intent, the newest first.
  List<Attempt> attempts(long intentId);

  /// Notes that an endpoint took a version.
  void markSent(Hash attempt, Instant now);

  /// Notes why an open intent waits; empty: it does not.
  void note(long intentId, String note, Instant now);

  /// A planned intent will not be signed.
  void refuse(long intentId, String reason, Instant now);

  /// A version is in a block.
  void mined(long intentId, Inclusion inclusion, Instant now);

  /// The block was reorganised away.
  void unmined(long intentId, Instant now);

  /// The block is deep enough: confirmed, or reverted where a reason is given.
  void settle(long intentId, Inclusion inclusion, Optional<String> revertReason, Instant now);

  /// Intents that were settled with this nonce or a higher one.
  List<Intent> settledFrom(long nonce);

  /// A settled transaction is no longer in the chain: a reorganisation went deeper than the
  /// confirmations.
  void reopen(long intentId, Instant now);

  /// Another transaction has the nonce.
  void displace(long intentId, String reason, Instant now);
}
