package io.rigmesh.libp2p.transport;

import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;

/// Where a listener brings what it accepts. Called on event loops: must not block.
public interface ConnectionAcceptor {
  /// Asked as soon as a socket is accepted, before any byte is read from it.
  ///
  /// @throws io.rigmesh.libp2p.resource.ResourceLimitException when it must be closed at once
  ConnectionScope admit(Multiaddr remoteAddress);

  /// The acceptor of the streams of a connection being upgraded; see [Transport#dial].
  StreamAcceptor streams();

  /// The connection is secured and multiplexed; whoever passed the same `streams` gets its streams.
  void accept(SecuredConnection connection, ConnectionScope scope, StreamAcceptor streams);

  /// The upgrade failed; the socket is closed and the scope must be ended.
  void failed(Multiaddr remoteAddress, ConnectionScope scope, Throwable cause);
}
