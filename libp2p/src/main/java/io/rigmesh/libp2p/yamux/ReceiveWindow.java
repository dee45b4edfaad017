package io.rigmesh.libp2p.yamux;

import java.util.concurrent.TimeUnit;

/// What the remote may still send on one stream, and when to let it send more. Grows while the
/// application takes half a window within a few round trips, because then the window, not the
/// application, is what limits the speed. Pure: the clock and the memory are handed in.
final class ReceiveWindow {
  /// Asks for memory before the window grows.
  @FunctionalInterface
  interface Memory {
    /// Whether so many bytes more may be held.
    boolean reserve(long bytes);
  }

  /// As long as half a window is used up within so many round trips, it is too small for the path.
  private static final int GROWTH_ROUND_TRIPS = 4;

  /// On a short path it is not the path that must be filled but the time in which two threads wake
  /// each other: with a window of its few hundred KiB both ends slept half of the time.
  private static final long ROUND_TRIP_NANOS_MIN = TimeUnit.MILLISECONDS.toNanos(2);

  private final long bytesMax;
  private long bytes = Frames.INITIAL_WINDOW_BYTES;
  private long available = Frames.INITIAL_WINDOW_BYTES;
  private long consumed;
  private long creditedNanos;

  ReceiveWindow(long bytesMax, long nowNanos) {
    this.bytesMax = bytesMax;
    this.creditedNanos = nowNanos;
  }

  /// The remote sends a frame: false when it is longer than the window allows.
  boolean take(long length) {
    if (length > available) {
      return false;
    }
    available -= length;
    return true;
  }

  /// The application has taken bytes.
  void consume(int count) {
    consumed += count;
  }

  /// How much the remote may be told to send more; zero as long as less than half a window is gone.
  ///
  /// @param roundTripNanos zero when not yet measured
  long credit(long nowNanos, long roundTripNanos, Memory memory) {
    if (consumed < bytes / 2) {
      return 0;
    }
    long delta = consumed;
    consumed = 0;
    long more = Math.min(bytes, bytesMax - bytes);
    if (more > 0
        && roundTripNanos > 0
        && nowNanos - creditedNanos
            < GROWTH_ROUND_TRIPS * Math.max(ROUND_TRIP_NANOS_MIN, roundTripNanos)
        && memory.reserve(more)) {
      bytes += more;
      delta += more;
    }
    creditedNanos = nowNanos;
    available += delta;
    return delta;
  }

  /// What the remote may send without being told more.
  long available() {
    return available;
  }

  /// What was reserved on top of the first window.
  long reserved() {
    return bytes - Frames.INITIAL_WINDOW_BYTES;
  }
}
