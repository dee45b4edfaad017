package io.rigmesh.node.requester;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.RequesterConfig;
import io.rigmesh.node.models.ModelShapes;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.estimate.Estimate;
import io.rigmesh.scheduler.estimate.ModelShape;
import io.rigmesh.scheduler.matching.Wish;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// What this node's jobs ask of an offer.
final class Wishes {
  private final RequesterConfig config;
  private final Blobs blobs;
  private final ModelShapes shapes;
  private final Address account;

  Wishes(RequesterConfig config, Blobs blobs, Address account) {
    this.config = config;
    this.blobs = blobs;
    this.shapes = new ModelShapes(blobs);
    this.account = account;
  }

  /// What a task asks.
  ///
  /// @param wanted the provider that was named for it; else the one of the settings counts, if any
  Wish of(
      Task task,
      Hash model,
      Profile profile,
      long inputBytes,
      Optional<TokenAmount> priceMax,
      Optional<PeerId> wanted) {
    boolean modelHere = model.isZero() || blobs.folder(model).isPresent();
    Optional<ModelShape> shape = modelHere ? shapes.of(task, model) : Optional.empty();
    OptionalLong memory =
        shape
            .map(s -> OptionalLong.of(Estimate.of(task, s, profile, inputBytes).memoryBytes()))
            .orElse(OptionalLong.empty());
    return new Wish(
        task,
        model,
        modelHere,
        profile,
        inputBytes,
        memory,
        priceMax,
        account,
        wanted.or(config::provider).map(PeerId::toString),
        Set.of());
  }
}
