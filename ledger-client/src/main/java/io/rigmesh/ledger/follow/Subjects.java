package io.rigmesh.ledger.follow;

import io.rigmesh.protocol.Hash;
import java.util.List;

/// Logs that name neither party but something that a party opened: a channel is opened by an event
/// that names its payer, and topped up by one that names the channel alone.
///
/// @param openedBy a wanted log of this kind makes its first indexed value a subject
/// @param kinds logs of these kinds are wanted too if their first indexed value is a subject
/// @param closedBy the one of `kinds` after which there are no more
public record Subjects(Hash openedBy, List<Hash> kinds, Hash closedBy) {
  /// Copies the list.
  public Subjects {
    kinds = List.copyOf(kinds);
    if (!kinds.contains(closedBy)) {
      throw new IllegalArgumentException("what closes a subject is one of its kinds");
    }
  }
}
