package io.rigmesh.node.config;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;

/// Asking others.
///
/// @param provider the one provider that jobs go to; where empty, the best live offer is chosen for
///   each
/// @param timeoutSeconds how long a provider may take to answer, transfers aside
/// @param candidatesMax how many providers are asked for one job before it waits
/// @param stakeMinimum what a provider must have at stake, with its peer bound to its account
public record RequesterConfig(
    @Setting(
            value = "",
            help =
                "Peer id of the one provider that jobs go to; empty to choose among live offers.")
        Optional<PeerId> provider,
    @Setting(value = "30", help = "How long a provider may take to answer, transfers aside.")
        int timeoutSeconds,
    @Setting(value = "8", help = "How many providers are asked for one job before it waits.")
        int candidatesMax,
    @Setting(
            value = "0",
            help = "What a provider must have at stake in ProviderRegistry, in smallest units.")
        TokenAmount stakeMinimum) {}
