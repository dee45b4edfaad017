package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// A Kademlia node on a host: client, or client and server. Thread-safe.
public interface Kademlia extends AutoCloseable {
  /// Looks for itself and for random keys through the peers that are known, filling the routing
  /// table.
  CompletableFuture<Void> bootstrap();

  /// Asks the network for a peer's addresses.
  CompletableFuture<Optional<PeerAddress>> findPeer(PeerId peer);

  /// The peers closest to a key that answered, nearest first; at most 20.
  CompletableFuture<List<PeerAddress>> closestPeers(byte[] key);

  /// Announces that this host provides what the multihash names, now and until [#unprovide].
  ///
  /// @return completes with the number of peers that were told
  CompletableFuture<Integer> provide(byte[] multihash);

  void unprovide(byte[] multihash);

  /// Looks for providers until `max` are found or the lookup ends; each is also handed on when
  /// found.
  CompletableFuture<List<PeerAddress>> findProviders(
      byte[] multihash, int max, Consumer<PeerAddress> found);

  /// How many peers the routing table holds.
  int tableSize();

  @Override
  void close();
}
