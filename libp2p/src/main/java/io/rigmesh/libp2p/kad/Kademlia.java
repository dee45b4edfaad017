package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// A Kademlia node on a host: client, or client and server (libp2p's kad-dht specification).
/// Thread-safe. Every future fails with [io.rigmesh.libp2p.Libp2pException] when the node is closed
/// before it has completed.
public interface Kademlia extends AutoCloseable {
  /// Starts a node on a host: it bootstraps at once and then regularly, until it is closed, which
  /// must be before the host is.
  ///
  /// @throws IllegalStateException when the host serves the protocol already
  static Kademlia start(Host host, KademliaConfig config) {
    return HostKademlia.start(host, config);
  }

  /// Looks for itself and for random keys through the peers that are known, filling the routing
  /// table; it does so by itself as well.
  CompletableFuture<Void> bootstrap();

  /// Asks the network for a peer's addresses.
  CompletableFuture<Optional<PeerAddress>> findPeer(PeerId peer);

  /// The peers closest to a key that answered, nearest first; at most 20.
  CompletableFuture<List<PeerAddress>> closestPeers(byte[] key);

  /// Announces that this host provides what the multihash names, now and until [#unprovide].
  ///
  /// @return completes with the number of peers that were told; when that is none, they are told as
  ///   soon as there are some
  CompletableFuture<Integer> provide(byte[] multihash);

  /// Announces no more; what others have been told expires with them.
  void unprovide(byte[] multihash);

  /// Looks for providers, this host not counted, until `max` are found or the lookup ends; each is
  /// also handed on when found, on a thread that may block. What they say is their word: whether
  /// one provides, only asking it shows. So wanting a few more than needed is wise.
  CompletableFuture<List<PeerAddress>> findProviders(
      byte[] multihash, int max, Consumer<PeerAddress> found);

  /// Puts a value to the nodes closest to its key.
  ///
  /// @return completes with the number of peers that took it; fails when the key's namespace has no
  ///   validator in the configuration, or the value is not valid
  CompletableFuture<Integer> putValue(byte[] key, byte[] value);

  /// The best valid value of those that the nodes closest to its key hold.
  CompletableFuture<Optional<byte[]>> getValue(byte[] key);

  /// Changes between client, server, and choosing by itself.
  void mode(KademliaMode mode);

  /// Whether it is a server now.
  boolean isServer();

  /// How many peers the routing table holds.
  int tableSize();

  /// The peers in the routing table.
  List<PeerId> tablePeers();

  /// Stops serving and asking; returns when nothing of it runs any more.
  @Override
  void close();
}
