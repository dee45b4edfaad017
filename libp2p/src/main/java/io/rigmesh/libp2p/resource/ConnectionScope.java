package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;

/// The account of one connection.
public interface ConnectionScope extends MemoryScope, AutoCloseable {
  /// Moves the connection from the transient account to the peer's.
  ///
  /// @throws ResourceLimitException when the peer has too many
  void setPeer(PeerId peer);

  /// Counts a stream, as transient until [StreamScope#setProtocol].
  ///
  /// @throws ResourceLimitException naming the scope and limit that is reached
  StreamScope openStream(Direction direction);

  /// Gives everything back, the streams' too; again is harmless.
  @Override
  void close();
}
