package io.rigmesh.libp2p.identify;

import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What has been said on one connection, both ways.
final class Identified {
  /// What this host told, or would tell, the peer.
  record Told(List<Multiaddr> addresses, List<ProtocolId> protocols) {}

  private static final int PUSH_BURST = 8;
  private static final double PUSHES_PER_SECOND = 0.5;

  /// Held while what the peer says is taken in, so that listeners hear it in order.
  final ReentrantLock taking = new ReentrantLock();

  final CompletableFuture<IdentifyInfo> first = new CompletableFuture<>();
  volatile IdentifyInfo info;
  private @Nullable Told told;
  private double pushTokens = PUSH_BURST;
  private @Nullable Instant pushAt;

  Identified(IdentifyInfo nothing) {
    this.info = nothing;
  }

  /// Notes what there was to tell when the connection was new, unless more has been told already.
  synchronized void tellFirst(Told telling) {
    if (told == null) {
      told = telling;
    }
  }

  /// Notes what the peer is told now.
  ///
  /// @return whether it is anything new
  synchronized boolean tell(Told telling) {
    boolean news = !telling.equals(told);
    told = telling;
    return news;
  }

  /// Whether the peer may push now: each push costs a signature's check.
  synchronized boolean mayPush(Instant now) {
    Instant before = pushAt;
    if (before != null && before.isBefore(now)) {
      double seconds = Duration.between(before, now).toMillis() / 1000.0;
      pushTokens = Math.min(PUSH_BURST, pushTokens + seconds * PUSHES_PER_SECOND);
    }
    pushAt = now;
    if (pushTokens < 1) {
      return false;
    }
    pushTokens--;
    return true;
  }
}
