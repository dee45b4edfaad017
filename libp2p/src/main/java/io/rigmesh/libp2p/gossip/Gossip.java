package io.rigmesh.libp2p.gossip;

/// A gossipsub node on a host. Thread-safe.
public interface Gossip extends AutoCloseable {
  /// The topic of this name; its validator and subscription are set on it.
  Topic topic(String name);

  /// Leaves every topic and closes the streams.
  @Override
  void close();
}
