package io.rigmesh.node.network.offers;

import io.rigmesh.protocol.Offer;
import java.util.List;

/// The offers that hold now, as far as this node has heard. Safe for use by several threads.
@FunctionalInterface
public interface LiveOffers {
  /// All of them, by peer.
  List<Offer> live();
}
