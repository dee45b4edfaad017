package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// A connected peer that speaks the protocol, as the router knows it. Not thread-safe.
final class Neighbour {
  final PeerId id;

  /// Whether there is an explicit agreement with it (gossipsub 1.1, "Explicit Peering Agreements").
  final boolean direct;

  PeerFeatures features;

  /// Whether this host dialled it.
  boolean outbound;

  /// What it subscribes to, bounded.
  final Set<String> topics = new LinkedHashSet<>();

  /// RPCs with IHAVE that it sent since the last heartbeat.
  int haveMessages;

  /// Ids that were asked of it since the last heartbeat.
  int askedIds;

  /// Ids of IDONTWANT that it sent since the last heartbeat.
  int unwantedIds;

  /// Messages that it does not want, and the heartbeat after which that is forgotten.
  final Map<MessageId, Long> unwanted = new LinkedHashMap<>();

  Neighbour(PeerId id, PeerFeatures features, boolean outbound, boolean direct) {
    this.id = id;
    this.features = features;
    this.outbound = outbound;
    this.direct = direct;
  }

  boolean wants(MessageId message) {
    return !unwanted.containsKey(message);
  }

  @Override
  public String toString() {
    return id.toString();
  }
}
