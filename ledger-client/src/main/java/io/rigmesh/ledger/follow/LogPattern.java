package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.util.List;

/// Which logs of a contract are wanted, by their topics, as an endpoint filters them.
///
/// @param topics for each position the values of which one must stand there; an empty list for any.
///   The first position is the kind of the event, the others are its indexed values.
public record LogPattern(List<List<Hash>> topics) {
  /// A log has at most four topics.
  private static final int POSITIONS_MAX = 4;

  /// Copies the lists.
  public LogPattern {
    if (topics.isEmpty() || topics.size() > POSITIONS_MAX) {
      throw new IllegalArgumentException("a log has one to four topics, not " + topics.size());
    }
    topics = topics.stream().map(List::copyOf).toList();
  }

  /// Any of these kinds with one of the accounts at a position.
  ///
  /// @param position 1 for the first indexed value
  public static LogPattern of(List<Hash> kinds, int position, List<Address> accounts) {
    List<List<Hash>> topics = new java.util.ArrayList<>();
    topics.add(kinds);
    for (int i = 1; i < position; i++) {
      topics.add(List.of());
    }
    topics.add(accounts.stream().map(LogPattern::topic).toList());
    return new LogPattern(topics);
  }

  /// An address as it stands in a topic: twelve zero bytes in front.
  public static Hash topic(Address address) {
    byte[] word = new byte[Hash.BYTES];
    System.arraycopy(address.bytes(), 0, word, 12, 20);
    return Hash.of(word);
  }

  /// True for a log that an endpoint would give for it.
  boolean matches(ChainLog log) {
    if (log.topics().size() < topics.size()) {
      return false;
    }
    for (int i = 0; i < topics.size(); i++) {
      if (!topics.get(i).isEmpty() && !topics.get(i).contains(log.topics().get(i))) {
        return false;
      }
    }
    return true;
  }
}
