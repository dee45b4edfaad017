package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/// Until when peers must not graft each other, by topic (gossipsub 1.1, "PRUNE Backoff"). Bounded
/// per topic: the oldest leave first. Not thread-safe.
final class Backoffs {
  static final int PER_TOPIC_MAX = 16_384;

  private final Map<String, Map<PeerId, Long>> ends = new HashMap<>();

  /// Sets a backoff, unless a longer one runs.
  void add(String topic, PeerId peer, long endsAt) {
    Map<PeerId, Long> peers = ends.computeIfAbsent(topic, t -> new LinkedHashMap<>());
    peers.merge(peer, endsAt, Math::max);
    if (peers.size() > PER_TOPIC_MAX) {
      Iterator<PeerId> eldest = peers.keySet().iterator();
      eldest.next();
      eldest.remove();
    }
  }

  /// When the backoff ends; zero without one.
  long endsAt(String topic, PeerId peer) {
    return ends.getOrDefault(topic, Map.of()).getOrDefault(peer, 0L);
  }

  void expire(long now) {
    ends.values().forEach(peers -> peers.values().removeIf(endsAt -> endsAt <= now));
    ends.values().removeIf(Map::isEmpty);
  }
}
