package io.rigmesh.libp2p.identify;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// What peers say of themselves and of this host (specification identify). Each new connection is
/// identified once; what changes later comes by push. Thread-safe.
public interface Identify extends AutoCloseable {
  /// What the remote said on this connection. Fails when it does not speak identify, broke its
  /// rules, did not answer within five seconds, or the connection has gone.
  CompletableFuture<IdentifyInfo> identified(Connection connection);

  void addListener(IdentifyListener listener);

  void removeListener(IdentifyListener listener);

  /// Looks at once whether protocols or addresses have changed, and pushes them to connected peers
  /// if so. Otherwise that happens on a timer.
  void pushChanges();

  /// Addresses of this host that remotes have seen or that follow from what they have seen, best
  /// attested first; nobody has proven that they can be dialled: AutoNAT's work.
  List<Multiaddr> candidateAddresses();

  @Override
  void close();
}
