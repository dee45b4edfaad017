package io.rigmesh.libp2p.yamux;

import java.util.concurrent.TimeUnit;

/// The connection's round trip as pings measure it, one at a time. Pure: the clock is handed in.
final class RoundTrip {
  private static final long VALID_NANOS = TimeUnit.SECONDS.toNanos(10);

  private int value;
  private long askedNanos;
  private boolean waiting;
  private boolean measured;
  private long measuredNanos;
  private long nanos;

  /// Begins a measurement.
  ///
  /// @return the value that the ping carries
  int ask(long nowNanos) {
    askedNanos = nowNanos;
    waiting = true;
    return ++value;
  }

  /// Takes an answer; false when it answers no ping of ours.
  boolean answer(int answered, long nowNanos) {
    if (!waiting || answered != value) {
      return false;
    }
    waiting = false;
    measured = true;
    measuredNanos = nowNanos;
    nanos = Math.max(1, nowNanos - askedNanos);
    return true;
  }

  /// Whether a ping is not yet answered.
  boolean waiting() {
    return waiting;
  }

  /// Whether it is time to measure again.
  boolean stale(long nowNanos) {
    return !waiting && (!measured || nowNanos - measuredNanos > VALID_NANOS);
  }

  /// The last measured round trip; zero when none is known.
  long nanos() {
    return nanos;
  }
}
