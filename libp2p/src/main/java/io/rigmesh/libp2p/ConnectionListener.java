package io.rigmesh.libp2p;

/// Hears of connections as they come and go; called on an event loop: must not block.
public interface ConnectionListener {
  default void connected(Connection connection) {}

  default void disconnected(Connection connection, String reason) {}
}
