package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.PeerAddress;
import java.util.List;

/// All settings of a gossipsub node.
///
/// @param direct peers with an explicit agreement: kept connected, always sent to and listened to,
///   outside of meshes and scores; the agreement must be mutual
public record GossipConfig(
    MeshParameters mesh,
    ScoreParameters score,
    ScoreThresholds thresholds,
    GossipLimits limits,
    List<PeerAddress> direct) {

  public GossipConfig {
    direct = List.copyOf(direct);
  }

  /// The values that the specifications recommend.
  public static GossipConfig defaults() {
    return new GossipConfig(
        MeshParameters.defaults(),
        ScoreParameters.defaults(),
        ScoreThresholds.defaults(),
        GossipLimits.defaults(),
        List.of());
  }

  public GossipConfig with(MeshParameters parameters) {
    return new GossipConfig(parameters, score, thresholds, limits, direct);
  }

  public GossipConfig with(ScoreParameters parameters) {
    return new GossipConfig(mesh, parameters, thresholds, limits, direct);
  }

  public GossipConfig with(ScoreThresholds values) {
    return new GossipConfig(mesh, score, values, limits, direct);
  }

  public GossipConfig with(GossipLimits values) {
    return new GossipConfig(mesh, score, thresholds, values, direct);
  }

  public GossipConfig withDirect(List<PeerAddress> peers) {
    return new GossipConfig(mesh, score, thresholds, limits, peers);
  }
}
