package io.rigmesh.node.network;

import java.util.function.LongSupplier;

/// So much a second, and a burst of so much at once. Safe for use by several threads.
public final class TokenBucket {
  private final double perSecond;
  private final double burst;
  private final LongSupplier nanoClock;
  private double tokens;
  private long atNanos;

  /// A bucket that is full.
  public TokenBucket(double perSecond, double burst, LongSupplier nanoClock) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.nanoClock = nanoClock;
    this.tokens = burst;
    this.atNanos = nanoClock.getAsLong();
  }

  /// Takes one if there is one.
  public synchronized boolean tryTake() {
    refill();
    if (tokens < 1) {
      return false;
    }
    tokens--;
    return true;
  }

  /// Takes so many, also before they are there.
  ///
  /// @return how long to wait until they would have been
  public synchronized long takeNanos(double count) {
    refill();
    tokens -= count;
    return tokens >= 0 ? 0 : (long) (-tokens / perSecond * 1e9);
  }

  private void refill() {
    long now = nanoClock.getAsLong();
    tokens = Math.min(burst, tokens + (now - atNanos) / 1e9 * perSecond);
    atNanos = now;
  }
}
