package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.ProtocolId;

/// The account of one stream.
public interface StreamScope extends MemoryScope, AutoCloseable {
  /// Moves the stream to the protocol's account.
  ///
  /// @throws ResourceLimitException when the protocol has too many streams
  void setProtocol(ProtocolId protocol);

  /// Gives everything back; again is harmless.
  @Override
  void close();
}
