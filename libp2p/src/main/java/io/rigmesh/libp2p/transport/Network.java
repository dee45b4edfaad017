package io.rigmesh.libp2p.transport;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.concurrent.CompletableFuture;

/// What a host offers to those who add ways to reach peers (relays, hole punching). Thread-safe.
public interface Network {
  /// Adds a transport to dial and listen with; closed with the host.
  void addTransport(Transport transport);

  /// Listens on a further address.
  CompletableFuture<Listener> listen(Multiaddr address);

  Upgrader upgrader();

  /// Where connections go that were accepted outside a listener of the host.
  ConnectionAcceptor acceptor();

  /// Dials one address of a peer even when a connection to it is open.
  CompletableFuture<Connection> dial(PeerId peer, Multiaddr address);

  /// Dials one address of a peer even when a connection to it is open; see [Transport#punch].
  CompletableFuture<Connection> punch(PeerId peer, Multiaddr address, Direction role);

  EventLoops eventLoops();
}
