package io.rigmesh.libp2p.yamux;

import java.util.BitSet;

/// Which stream ids the remote has used. They rise by two; since some implementations number
/// streams on several threads before they send, an id a little below the highest is still new when
/// it has not been seen.
final class RemoteStreamIds {
  private static final int REMEMBERED = 1024;

  private final int parity;

  /// Of the last ids, by half the id modulo the number remembered.
  private final BitSet used = new BitSet();

  private long highest;

  /// @param remoteDialled whether the remote opened the connection, so that its ids are odd
  RemoteStreamIds(boolean remoteDialled) {
    this.parity = remoteDialled ? 1 : 0;
    this.highest = remoteDialled ? -1 : 0;
  }

  /// Whether the remote is the one who gives this id.
  boolean owns(long id) {
    return (id & 1) == parity;
  }

  /// Whether the remote has begun streams up to this id, so that frames for it may still be on
  /// their way.
  boolean reached(long id) {
    return id <= highest;
  }

  /// Takes an id as used; false when it is not the remote's to give or was used before.
  boolean take(long id) {
    if (!owns(id) || id <= highest - 2L * REMEMBERED) {
      return false;
    }
    if (id > highest) {
      long first = Math.max(highest + 2, id - 2L * (REMEMBERED - 1));
      for (long skipped = first; skipped < id; skipped += 2) {
        used.clear(slot(skipped));
      }
      highest = id;
    } else if (used.get(slot(id))) {
      return false;
    }
    used.set(slot(id));
    return true;
  }

  private static int slot(long id) {
    return (int) (id >>> 1) % REMEMBERED;
  }
}
