package io.rigmesh.libp2p.relay;

import java.time.Duration;

/// What a relay gives away.
///
/// @param reservations peers that may hold a reservation at one time
/// @param reservationsPerIp of them, from one IP address (an IPv6 /64 counts as one)
/// @param circuitsPerPeer relayed connections that one peer may take part in, as either end
/// @param reservationTime how long a reservation lasts unless it is renewed
/// @param circuitTime how long a relayed connection lasts; zero for without end
/// @param circuitBytes what passes in each direction of a relayed connection; zero for without end
public record RelayLimits(
    int reservations,
    int reservationsPerIp,
    int circuitsPerPeer,
    Duration reservationTime,
    Duration circuitTime,
    long circuitBytes) {
  /// What go-libp2p gives: enough to agree on a direct connection, too little to live on.
  public static RelayLimits defaults() {
    return new RelayLimits(128, 8, 16, Duration.ofHours(1), Duration.ofMinutes(2), 128 * 1024);
  }

  public RelayLimits {
    if (reservations < 1
        || reservationsPerIp < 1
        || circuitsPerPeer < 1
        || reservationTime.toSeconds() < 1
        || circuitTime.isNegative()
        || circuitBytes < 0) {
      throw new IllegalArgumentException(
          "A relay's counts and its reservation time must be positive, its circuits' time and bytes"
              + " not negative");
    }
  }

  /// Whether a relayed connection is limited at all.
  public boolean limitCircuits() {
    return !circuitTime.isZero() || circuitBytes > 0;
  }
}
