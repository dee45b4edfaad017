package io.rigmesh.libp2p.swarm;

import java.time.Duration;

/// When connections are trimmed, and how far.
///
/// @param lowWater how many connections are left after trimming
/// @param highWater with more than this many, trimming begins
/// @param grace how long a new connection is left alone: what it is worth shows only in use
public record ConnectionLimits(int lowWater, int highWater, Duration grace) {
  private static final ConnectionLimits DEFAULTS =
      new ConnectionLimits(80, 104, Duration.ofSeconds(20));

  public ConnectionLimits {
    if (lowWater < 0 || highWater < lowWater || grace.isNegative()) {
      throw new IllegalArgumentException(
          "The high-water mark is at least the low-water mark, and neither it nor the grace is"
              + " negative: "
              + lowWater
              + ", "
              + highWater
              + ", "
              + grace);
    }
  }

  /// Begins well below the resource manager's 128, so that new connections are not refused while
  /// worthless ones are held.
  public static ConnectionLimits defaults() {
    return DEFAULTS;
  }
}
