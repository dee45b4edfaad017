package io.rigmesh.libp2p;

import io.rigmesh.libp2p.identity.PeerId;

/// Says which peers matter, for the day when there are too many connections and some must close.
/// Every part of the host speaks for the peers it needs, under a tag of its own. Thread-safe.
public interface ConnectionManager {
  /// Keeps connections to a peer from being trimmed until each tag that protects it is lifted.
  void protect(PeerId peer, String tag);

  /// Lifts one tag's protection; harmless when there is none.
  ///
  /// @return whether another tag still protects the peer
  boolean unprotect(PeerId peer, String tag);

  boolean isProtected(PeerId peer);

  /// Sets what a peer is worth to one part of the host; a peer's tags add up, and connections to
  /// peers of the least value close first. Zero takes the tag away.
  void tag(PeerId peer, String tag, int value);
}
