package io.rigmesh.node.network.offers;

import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Refusal;
import java.util.List;
import java.util.Optional;

/// The offers that hold now, as far as this node has heard. Safe for use by several threads.
@FunctionalInterface
public interface LiveOffers {
  /// All of them, by peer.
  List<Offer> live();

  /// How many were heard and are left out, and why, in one sentence; empty where none are.
  default Optional<String> leftOut() {
    return Optional.empty();
  }

  /// A refusal by what these offers have, with what is left out of them.
  default Refusal explain(Refusal refusal) {
    return leftOut()
        .map(left -> new Refusal(refusal.code(), refusal.sentence() + "; " + left))
        .orElse(refusal);
  }
}
