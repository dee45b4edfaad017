package io.rigmesh.libp2p.yamux;

/// So many at once, and so many a second. Pure: the clock is handed in.
final class TokenBucket {
  private final long burst;
  private final long nanosEach;
  private long tokens;
  private long filledNanos;

  TokenBucket(long burst, long perSecond, long nowNanos) {
    this.burst = burst;
    this.nanosEach = 1_000_000_000L / perSecond;
    this.tokens = burst;
    this.filledNanos = nowNanos;
  }

  /// Takes one; false when none is left.
  boolean take(long nowNanos) {
    if (tokens == 0) {
      long more = (nowNanos - filledNanos) / nanosEach;
      if (more <= 0) {
        return false;
      }
      filledNanos += more * nanosEach;
      tokens = Math.min(burst, more);
    } else if (tokens == burst) {
      filledNanos = nowNanos;
    }
    tokens--;
    return true;
  }
}
