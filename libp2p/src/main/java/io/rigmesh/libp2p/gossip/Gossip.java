package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;

/// A gossipsub node on a host; see [Gossipsub#start]. Thread-safe.
public interface Gossip extends AutoCloseable {
  /// The topic of this name; its validator and subscription are set on it. Always the same object
  /// for the same name.
  ///
  /// @throws IllegalArgumentException when the name is empty or over 256 bytes
  Topic topic(String name);

  /// What this node thinks of a peer (gossipsub 1.1, "Peer Scoring"); zero when it does not know
  /// it.
  double score(PeerId peer);

  /// Leaves every topic and closes the streams; the host's connections stay.
  @Override
  void close();
}
