package io.rigmesh.libp2p.peerstore;

import java.time.Duration;

/// How much a peer store holds.
///
/// @param peersMax peers; beyond it the least useful leave
/// @param bytesMax memory of all that is known of all of them, roughly
/// @param addressesPerPeerMax addresses of a peer; beyond it those that expire first leave
/// @param protocolsPerPeerMax protocols of a peer; further ones are not taken
/// @param agentCharactersMax longer names of software are cut
/// @param remembered how long addresses of a peer stay known after a connection to it has ended
/// @param saveEvery at most this often the file is written while something changes
public record PeerStoreLimits(
    int peersMax,
    long bytesMax,
    int addressesPerPeerMax,
    int protocolsPerPeerMax,
    int agentCharactersMax,
    Duration remembered,
    Duration saveEvery) {
  private static final PeerStoreLimits DEFAULTS =
      new PeerStoreLimits(
          4096, 16L << 20, 32, 256, 256, Duration.ofHours(24), Duration.ofSeconds(30));

  public PeerStoreLimits {
    if (peersMax < 1
        || bytesMax < 1
        || addressesPerPeerMax < 1
        || protocolsPerPeerMax < 0
        || agentCharactersMax < 0
        || remembered.isNegative()
        || saveEvery.isNegative()) {
      throw new IllegalArgumentException("A peer store has room for a peer and an address");
    }
  }

  /// 4,096 peers in 16 MiB, remembered for a day.
  public static PeerStoreLimits defaults() {
    return DEFAULTS;
  }

  public PeerStoreLimits withPeersMax(int peers) {
    return new PeerStoreLimits(
        peers,
        bytesMax,
        addressesPerPeerMax,
        protocolsPerPeerMax,
        agentCharactersMax,
        remembered,
        saveEvery);
  }

  public PeerStoreLimits withBytesMax(long bytes) {
    return new PeerStoreLimits(
        peersMax,
        bytes,
        addressesPerPeerMax,
        protocolsPerPeerMax,
        agentCharactersMax,
        remembered,
        saveEvery);
  }

  public PeerStoreLimits withSaveEvery(Duration pause) {
    return new PeerStoreLimits(
        peersMax,
        bytesMax,
        addressesPerPeerMax,
        protocolsPerPeerMax,
        agentCharactersMax,
        remembered,
        pause);
  }
}
