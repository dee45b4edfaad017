package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.LinkedHashMap;
import java.util.Map;

/// How often each peer may do a thing: `burst` at once, and `perSecond` on the long run. Who does
/// more is made to wait, so that an eager peer is slowed and not cut off. It remembers a bounded
/// number of peers; the one longest unseen is forgotten first.
///
/// Not thread-safe; times are milliseconds of any clock that does not go back.
final class RateLimit {
  private static final int PEERS_MAX = 4_096;

  private static final class Bucket {
    double tokens;
    long at;

    Bucket(double tokens, long at) {
      this.tokens = tokens;
      this.at = at;
    }
  }

  private final double perSecond;
  private final double burst;
  private final Map<PeerId, Bucket> peers = new LinkedHashMap<>(16, 0.75f, true);

  RateLimit(double perSecond, double burst) {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  /// Counts one.
  ///
  /// @return how many milliseconds to wait before doing it
  long take(PeerId peer, long now) {
    Bucket bucket = peers.get(peer);
    if (bucket == null) {
      bucket = new Bucket(burst, now);
      peers.put(peer, bucket);
      if (peers.size() > PEERS_MAX) {
        peers.remove(peers.keySet().iterator().next());
      }
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) * perSecond / 1_000) - 1;
    bucket.at = now;
    return bucket.tokens >= 0 ? 0 : (long) Math.ceil(-bucket.tokens * 1_000 / perSecond);
  }
}
