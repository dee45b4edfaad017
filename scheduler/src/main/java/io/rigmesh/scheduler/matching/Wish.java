package io.rigmesh.scheduler.matching;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// What a job asks of an offer.
///
/// @param task what is to be computed
/// @param model the root of the model's folder; zero for a new model
/// @param modelHere whether the requester can hand the model over
/// @param profile the arithmetic
/// @param inputBytes the input blob's length
/// @param memoryBytes what it is reckoned to need on the device; empty where the model is not here
/// @param priceMax the most that it may cost, where that is said already
/// @param requester who asks; nobody buys from oneself
/// @param provider the one peer that it must be, if one was named
/// @param excluded peers that have refused it
public record Wish(
    Task task,
    Hash model,
    boolean modelHere,
    Profile profile,
    long inputBytes,
    OptionalLong memoryBytes,
    Optional<TokenAmount> priceMax,
    Address requester,
    Optional<String> provider,
    Set<String> excluded) {
  /// Copies the set.
  public Wish {
    excluded = Set.copyOf(excluded);
  }
}
