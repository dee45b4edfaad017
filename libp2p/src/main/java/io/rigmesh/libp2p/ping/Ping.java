package io.rigmesh.libp2p.ping;

import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// Asks peers whether they are there, and how far away (specification ping). Thread-safe.
public interface Ping extends AutoCloseable {
  /// One round trip over an open connection, or one that is made for it. A peer that is being
  /// pinged already is not pinged twice at once: both callers get the same answer. Fails with
  /// [io.rigmesh.libp2p.Libp2pException] after ten seconds at the latest.
  CompletableFuture<Duration> ping(PeerId peer);

  @Override
  void close();
}
