package io.rigmesh.libp2p.gossip;

import java.time.Duration;

/// The shape and pace of meshes and gossip (gossipsub 1.0, "Parameters", and 1.1, "Overview of New
/// Parameters").
///
/// @param gossipFactor the share of peers outside the mesh that hear of new messages at each
///   heartbeat, at least [Degrees#lazy] of them
/// @param fanoutTimeToLive how long peers are kept for a topic that is published to without being
///   subscribed
/// @param historyLength heartbeats for which a message can be asked for
/// @param historyGossip heartbeats for which a message is told of
/// @param seenTimeToLive how long a message's id is remembered
/// @param pruneBackoff how long two peers do not graft after a PRUNE
/// @param unsubscribeBackoff the same after leaving a topic
/// @param graftFlood a GRAFT sooner after a PRUNE counts twice
/// @param exchangePeers how many others a pruned peer is told of; zero to tell of none
/// @param floodPublish whether own messages go to all peers of the topic rather than the mesh
/// @param opportunisticHeartbeats how many heartbeats lie between opportunistic grafts
/// @param opportunisticPeers how many are then grafted
/// @param haveIdsMax ids of IHAVE that are read of one peer, and told to one, per heartbeat
/// @param haveMessagesMax IHAVEs that are read of one peer per heartbeat
/// @param wantFollowUp how soon a message that was told of must come when asked for
/// @param retransmissionsMax how often one peer gets the same message by IWANT
/// @param unwantedBytesMin messages from this size on are announced by IDONTWANT
public record MeshParameters(
    Degrees degrees,
    double gossipFactor,
    Duration heartbeat,
    Duration fanoutTimeToLive,
    int historyLength,
    int historyGossip,
    Duration seenTimeToLive,
    Duration pruneBackoff,
    Duration unsubscribeBackoff,
    Duration graftFlood,
    int exchangePeers,
    boolean floodPublish,
    int opportunisticHeartbeats,
    int opportunisticPeers,
    int haveIdsMax,
    int haveMessagesMax,
    Duration wantFollowUp,
    int retransmissionsMax,
    int unwantedBytesMin) {

  public MeshParameters {
    Checks.require(
        gossipFactor >= 0 && gossipFactor <= 1, "gossipFactor", "from 0 to 1", gossipFactor);
    Checks.positive("heartbeat", heartbeat);
    Checks.positive("fanoutTimeToLive", fanoutTimeToLive);
    Checks.within("historyLength", historyLength, 1, 1000);
    Checks.within("historyGossip", historyGossip, 0, historyLength);
    Checks.positive("seenTimeToLive", seenTimeToLive);
    Checks.positive("pruneBackoff", pruneBackoff);
    Checks.positive("unsubscribeBackoff", unsubscribeBackoff);
    Checks.require(!graftFlood.isNegative(), "graftFlood", "zero or more", graftFlood);
    Checks.within("exchangePeers", exchangePeers, 0, 64);
    Checks.within("opportunisticHeartbeats", opportunisticHeartbeats, 1, Integer.MAX_VALUE);
    Checks.within("opportunisticPeers", opportunisticPeers, 0, 1000);
    Checks.within("haveIdsMax", haveIdsMax, 1, RpcCodec.IDS_MAX);
    Checks.within("haveMessagesMax", haveMessagesMax, 1, 10_000);
    Checks.positive("wantFollowUp", wantFollowUp);
    Checks.within("retransmissionsMax", retransmissionsMax, 1, 1000);
    Checks.within("unwantedBytesMin", unwantedBytesMin, 0, Integer.MAX_VALUE);
  }

  /// How many peers a mesh has.
  ///
  /// @param target D
  /// @param low D_lo: fewer are filled up
  /// @param high D_hi: more are pruned
  /// @param score D_score: so many of the best are kept when pruning
  /// @param outbound D_out: so many of them this host has dialled itself
  /// @param lazy D_lazy: the fewest peers outside the mesh that hear of messages
  public record Degrees(int target, int low, int high, int score, int outbound, int lazy) {
    public Degrees {
      Checks.within("low", low, 0, 10_000);
      Checks.within("target", target, low, 10_000);
      Checks.within("high", high, target, 10_000);
      Checks.within("score", score, 0, target);
      Checks.require(
          outbound == 0 || (outbound > 0 && outbound < low && outbound <= target / 2),
          "outbound",
          "zero, or under low (" + low + ") and at most half of target (" + target + ")",
          outbound);
      Checks.within("lazy", lazy, 0, 10_000);
    }
  }

  /// The values that the specifications recommend.
  public static MeshParameters defaults() {
    return new MeshParameters(
        new Degrees(6, 4, 12, 4, 2, 6),
        0.25,
        Duration.ofSeconds(1),
        Duration.ofSeconds(60),
        5,
        3,
        Duration.ofSeconds(120),
        Duration.ofSeconds(60),
        Duration.ofSeconds(10),
        Duration.ofSeconds(10),
        16,
        true,
        60,
        2,
        5000,
        10,
        Duration.ofSeconds(3),
        3,
        1024);
  }
}
