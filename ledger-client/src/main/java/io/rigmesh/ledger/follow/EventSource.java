package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.protocol.Address;
import java.util.List;
import java.util.Optional;

/// A contract's events that concern somebody: which logs they are, and what they mean.
///
/// @param <E> the events
public interface EventSource<E> {
  /// A short name, once in a follower: `escrow`.
  String name();

  /// The contract.
  Address contract();

  /// The logs that are wanted: those that match any of these.
  List<LogPattern> patterns();

  /// The logs that are wanted because of earlier ones.
  default Optional<Subjects> subjects() {
    return Optional.empty();
  }

  /// What a wanted log says.
  E event(ChainLog log);
}
