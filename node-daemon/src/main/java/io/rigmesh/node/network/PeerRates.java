package io.rigmesh.node.network;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.LinkedHashMap;
import java.util.Map;

/// A bound on how often each peer may ask for something. Remembers so many peers, the one that
/// asked longest ago is forgotten first. Safe for use by several threads.
public final class PeerRates {
  private static final int PEERS_MAX = 4_096;

  private final double perSecond;
  private final double burst;
  private final Map<PeerId, TokenBucket> buckets =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<PeerId, TokenBucket> eldest) {
          return size() > PEERS_MAX;
        }
      };

  /// So much a second and peer, and a burst.
  public PeerRates(double perSecond, double burst) {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  /// True if the peer may ask now.
  public boolean tryTake(PeerId peer) {
    TokenBucket bucket;
    synchronized (buckets) {
      bucket =
          buckets.computeIfAbsent(peer, _ -> new TokenBucket(perSecond, burst, System::nanoTime));
    }
    return bucket.tryTake();
  }
}
