package io.rigmesh.libp2p.dcutr;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// Knows which connections lead straight to a peer, and who waits for one: it does not matter which
/// of several dials, or the remote's own, has made it. Thread-safe.
final class DirectConnections {
  private final Host host;
  private final Map<PeerId, List<CompletableFuture<Connection>>> waiting =
      new ConcurrentHashMap<>();

  DirectConnections(Host host) {
    this.host = host;
  }

  static boolean relayed(Connection connection) {
    return connection.limited() || connection.remoteAddress().has(AddressProtocol.P2P_CIRCUIT);
  }

  Optional<Connection> to(PeerId peer) {
    return host.connections(peer).stream()
        .filter(connection -> connection.isOpen() && !relayed(connection))
        .findFirst();
  }

  /// Completes with the first direct connection there is or will be; cancel it to stop waiting.
  CompletableFuture<Connection> awaited(PeerId peer) {
    CompletableFuture<Connection> future = new CompletableFuture<>();
    waiting.compute(
        peer,
        (id, all) -> {
          List<CompletableFuture<Connection>> list =
              all == null ? new CopyOnWriteArrayList<>() : all;
          list.add(future);
          return list;
        });
    future.whenComplete((connection, failure) ->
        waiting.computeIfPresent(
            peer,
            (id, all) -> {
              all.removeIf(CompletableFuture::isDone);
              return all.isEmpty() ? null : all;
            }));
    to(peer).ifPresent(future::complete);
    return future;
  }

  void connected(Connection connection) {
    List<CompletableFuture<Connection>> all = waiting.get(connection.peer());
    if (all != null) {
      all.forEach(future -> future.complete(connection));
    }
  }
}
