package io.rigmesh.libp2p.gossip;

/// Which score has which consequence (gossipsub 1.1, "Score Thresholds"). A score under zero keeps
/// a peer out of the mesh.
///
/// @param gossip below it no gossip goes to the peer, and its gossip is ignored
/// @param publish below it own messages are not sent to the peer
/// @param graylist below it everything from the peer is ignored
/// @param acceptExchange peers that it offers on PRUNE are connected to only above
/// @param opportunisticGraft when the mesh's median is below it, better peers are grafted
public record ScoreThresholds(
    double gossip,
    double publish,
    double graylist,
    double acceptExchange,
    double opportunisticGraft) {

  public ScoreThresholds {
    Checks.finite("gossip", gossip);
    Checks.require(gossip < 0, "gossip", "under zero", gossip);
    Checks.finite("publish", publish);
    Checks.require(publish <= gossip, "publish", "at most the gossip threshold " + gossip, publish);
    Checks.finite("graylist", graylist);
    Checks.require(
        graylist < publish, "graylist", "under the publish threshold " + publish, graylist);
    Checks.notNegative("acceptExchange", acceptExchange);
    Checks.notNegative("opportunisticGraft", opportunisticGraft);
  }

  public static ScoreThresholds defaults() {
    return new ScoreThresholds(-10, -50, -80, 10, 1);
  }
}
