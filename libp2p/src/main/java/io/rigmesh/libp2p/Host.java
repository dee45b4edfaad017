package io.rigmesh.libp2p;

import io.rigmesh.libp2p.identify.Identify;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.peerstore.PeerStore;
import io.rigmesh.libp2p.ping.Ping;
import io.rigmesh.libp2p.resource.ResourceManager;
import io.rigmesh.libp2p.transport.Network;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// One peer of the network: an identity, listening addresses, connections to others, and the
/// protocols it serves. Thread-safe. Made by [HostBuilder].
public interface Host extends AutoCloseable {
  PeerId id();

  PrivateKey key();

  /// What the sockets are bound to, wildcard addresses as given, ports as assigned.
  List<Multiaddr> listenAddresses();

  /// Where others may reach this host: its interfaces' addresses, what the configuration adds, what
  /// identify and AutoNAT have confirmed, and its relays.
  List<Multiaddr> addresses();

  /// An open connection to the peer, dialling every address given and known until one succeeds (the
  /// losers are closed). Cancelling the future abandons the dials. Fails with [Libp2pException]
  /// naming each address and why it failed.
  CompletableFuture<Connection> connect(PeerAddress peer);

  /// Opens a stream over an open direct connection, or dials first with the addresses that are
  /// known. Never uses a limited (relayed) connection; see [#openLimited].
  CompletableFuture<Stream> open(PeerId peer, ProtocolId... protocols);

  /// As [#open], and a limited connection will do.
  CompletableFuture<Stream> openLimited(PeerId peer, ProtocolId... protocols);

  /// Serves a protocol; identify tells peers that it is spoken here.
  ///
  /// @throws IllegalStateException when the protocol is served already
  void handle(ProtocolId protocol, StreamHandler handler);

  /// Stops serving a protocol; streams that are open go on.
  void unhandle(ProtocolId protocol);

  List<ProtocolId> protocols();

  List<Connection> connections();

  List<Connection> connections(PeerId peer);

  CompletableFuture<Void> disconnect(PeerId peer, String reason);

  void addListener(ConnectionListener listener);

  void removeListener(ConnectionListener listener);

  /// Adds a source of addresses that this host announces (relays, port mappings, confirmed
  /// addresses).
  void announce(AddressSource source);

  PeerStore peerStore();

  ResourceManager resources();

  /// Where a part of the host says which peers it needs to stay connected.
  ConnectionManager connectionManager();

  /// What connected peers say of themselves: their protocols, addresses and software.
  Identify identify();

  /// Asks peers whether they are there, and how far away.
  Ping ping();

  /// For those who add ways to reach peers.
  Network network();

  /// Closes listeners, connections and event loops; returns when the descriptors are closed.
  @Override
  void close();
}
