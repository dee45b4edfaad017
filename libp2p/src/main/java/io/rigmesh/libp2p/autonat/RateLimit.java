package io.rigmesh.libp2p.autonat;

import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/// So many requests a minute in all, and so many of one peer. Thread-safe.
final class RateLimit {
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final int perMinute;
  private final int perPeerPerMinute;
  private final Deque<Request> window = new ArrayDeque<>();
  private final Map<PeerId, Integer> perPeer = new HashMap<>();

  private record Request(PeerId peer, Instant at) {}

  RateLimit(int perMinute, int perPeerPerMinute) {
    this.perMinute = perMinute;
    this.perPeerPerMinute = perPeerPerMinute;
  }

  /// Counts a request, unless there are too many.
  synchronized boolean take(PeerId peer, Instant now) {
    while (!window.isEmpty() && !window.peekFirst().at().plus(WINDOW).isAfter(now)) {
      perPeer.computeIfPresent(
          window.removeFirst().peer(), (one, count) -> count == 1 ? null : count - 1);
    }
    if (window.size() >= perMinute || perPeer.getOrDefault(peer, 0) >= perPeerPerMinute) {
      return false;
    }
    window.addLast(new Request(peer, now));
    perPeer.merge(peer, 1, Integer::sum);
    return true;
  }
}
