package io.rigmesh.ledger.escrow;

import io.rigmesh.protocol.Hash;
import java.util.List;

/// What a follower remembers: which blocks it has read to, and the events that it told. Each method
/// happens as a whole or not at all.
interface FollowStore {
  /// A block up to which everything was read and told.
  ///
  /// @param number its number
  /// @param hash its hash at that time
  record Mark(long number, Hash hash) {}

  /// The marks that are kept, the newest first.
  List<Mark> marks();

  /// Notes events that were told, and the block that reading has come to.
  void advance(Mark mark, List<EscrowEvent> events);

  /// Events in blocks above `block`, the newest first.
  List<EscrowEvent> eventsAbove(long block);

  /// Forgets the marks and events above `block`.
  void rollBack(long block);

  /// All events, the oldest first.
  List<EscrowEvent> events();
}
