package io.rigmesh.node.rest;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/// How often one address may ask: a bucket per address that fills steadily and holds a burst. Only
/// the addresses seen last are remembered, so that many of them cost no memory.
final class RequestRate {
  private static final int ADDRESSES_MAX = 1_024;

  private final double perSecond;
  private final double burst;
  private final LongSupplier nanoTime;
  private final Map<InetAddress, Bucket> buckets =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<InetAddress, Bucket> eldest) {
          return size() > ADDRESSES_MAX;
        }
      };

  private static final class Bucket {
    private double level;
    private long atNanos;

    Bucket(double level, long atNanos) {
      this.level = level;
      this.atNanos = atNanos;
    }
  }

  RequestRate(double perSecond, double burst, LongSupplier nanoTime) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.nanoTime = nanoTime;
  }

  /// Takes one request from the address's bucket; false if there is none left.
  synchronized boolean take(InetAddress address) {
    long now = nanoTime.getAsLong();
    Bucket bucket = buckets.computeIfAbsent(address, _ -> new Bucket(burst, now));
    bucket.level = Math.min(burst, bucket.level + (now - bucket.atNanos) * 1e-9 * perSecond);
    bucket.atNanos = now;
    if (bucket.level < 1) {
      return false;
    }
    bucket.level -= 1;
    return true;
  }
}
