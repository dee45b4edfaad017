package io.rigmesh.node.jobs;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;
import java.util.OptionalLong;

/// A job before the node signs it with its own key.
///
/// @param task what is to be computed
/// @param model the root of the model's folder, which the node or a provider has; empty for a new
///   model
/// @param input the root of the input blob, which the node has
/// @param profile the arithmetic
/// @param seed keys all randomness; drawn by the node where empty
/// @param priceMax the most to pay; reckoned from live offers where empty
/// @param deadlineSeconds how many seconds from now the result is worth anything
/// @param provider the one provider that may compute it; chosen among live offers where empty
public record JobDraft(
    Task task,
    Optional<Hash> model,
    Hash input,
    Profile profile,
    OptionalLong seed,
    Optional<TokenAmount> priceMax,
    long deadlineSeconds,
    Optional<PeerId> provider) {}
