package io.rigmesh.libp2p.transport;

import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.concurrent.CompletableFuture;

/// A bound socket that accepts connections.
public interface Listener {
  /// The bound address: wildcard as given, the port as assigned.
  Multiaddr address();

  CompletableFuture<Void> close();
}
