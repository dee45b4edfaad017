package io.rigmesh.libp2p.identify;

import java.time.Duration;
import java.time.InstantSource;

/// How this host presents itself, and whom it believes about its own addresses.
///
/// @param protocolVersion the family of protocols; peers do not reject another one
/// @param agentVersion software and version, such as `rigmesh/0.1.0`
/// @param timeout how long one identification or push may take in all; who has not answered by then
///   is asked twice more
/// @param lookEvery how often protocols and addresses are looked at for changes to push
/// @param observersMin how many observers, each in an IP network of its own, must see this host at
///   an address before it is announced
/// @param observePrivate whether to believe addresses on private networks too: where a private
///   network stands in for the internet
public record IdentifySettings(
    String protocolVersion,
    String agentVersion,
    Duration timeout,
    Duration lookEvery,
    int observersMin,
    boolean observePrivate,
    InstantSource clock) {
  public IdentifySettings {
    if (observersMin < 1 || lookEvery.isNegative() || lookEvery.isZero()) {
      throw new IllegalArgumentException("At least one observer, and a pause between looks");
    }
    if (protocolVersion.length() > 256 || agentVersion.length() > 256) {
      throw new IllegalArgumentException("Versions have at most 256 characters");
    }
  }

  /// Four observers, a look every five seconds, five seconds for an identification.
  public static IdentifySettings defaults(String agentVersion, InstantSource clock) {
    return new IdentifySettings(
        "ipfs/0.1.0", agentVersion, Duration.ofSeconds(5), Duration.ofSeconds(5), 4, false, clock);
  }

  public IdentifySettings withTimeout(Duration limit) {
    return new IdentifySettings(
        protocolVersion, agentVersion, limit, lookEvery, observersMin, observePrivate, clock);
  }

  public IdentifySettings withLookEvery(Duration pause) {
    return new IdentifySettings(
        protocolVersion, agentVersion, timeout, pause, observersMin, observePrivate, clock);
  }

  public IdentifySettings withObservers(int min, boolean onPrivateNetworks) {
    return new IdentifySettings(
        protocolVersion, agentVersion, timeout, lookEvery, min, onPrivateNetworks, clock);
  }
}
