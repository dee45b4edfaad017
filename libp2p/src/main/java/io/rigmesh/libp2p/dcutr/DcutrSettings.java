package io.rigmesh.libp2p.dcutr;

import java.time.Duration;

/// How relayed connections are replaced by direct ones.
///
/// @param privateAddresses whether private addresses are told and dialled, as on a network of one's
///   own; never on the public one
/// @param attempts how often both sides dial at once before the relayed connection is left as it is
/// @param attemptTime how long one of them may take
/// @param grace how long a relayed connection that has been replaced may wait for its streams to
///   end
public record DcutrSettings(
    boolean privateAddresses, int attempts, Duration attemptTime, Duration grace) {
  public static DcutrSettings defaults() {
    return new DcutrSettings(false, 3, Duration.ofSeconds(5), Duration.ofMinutes(1));
  }

  public DcutrSettings withPrivateAddresses() {
    return new DcutrSettings(true, attempts, attemptTime, grace);
  }
}
