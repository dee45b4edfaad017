package io.rigmesh.libp2p.autonat;

import java.time.Duration;

/// How AutoNAT behaves.
///
/// @param serve whether this host dials others back when they ask
/// @param privateAddresses whether private addresses are asked about and dialled, as on a network
///   of one's own; never on the public one
/// @param confirmations servers that must agree about an address; fewer when fewer are connected
/// @param retry time between questions while the answer is unknown
/// @param refresh time between questions when it is known
/// @param requestsPerMinute what this host serves in all
/// @param requestsPerPeerPerMinute what it serves to one peer
public record AutoNatSettings(
    boolean serve,
    boolean privateAddresses,
    int confirmations,
    Duration retry,
    Duration refresh,
    int requestsPerMinute,
    int requestsPerPeerPerMinute) {
  public static AutoNatSettings defaults() {
    return new AutoNatSettings(
        true, false, 2, Duration.ofSeconds(15), Duration.ofMinutes(15), 60, 12);
  }

  public AutoNatSettings withPrivateAddresses() {
    return new AutoNatSettings(
        serve, true, confirmations, retry, refresh, requestsPerMinute, requestsPerPeerPerMinute);
  }
}
