package io.rigmesh.libp2p.transport;

import io.netty.channel.socket.DuplexChannel;

/// Receives the streams that the remote opens on one connection.
@FunctionalInterface
public interface StreamAcceptor {
  /// Called on the connection's event loop. The channel is registered and active, its `autoRead` is
  /// off, nothing has been read from it. Its protocol is not yet negotiated.
  void accept(DuplexChannel stream);
}
