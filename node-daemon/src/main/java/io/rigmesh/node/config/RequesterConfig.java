package io.rigmesh.node.config;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.Optional;

/// Asking others.
///
/// @param provider the one provider that jobs go to; where empty, the best live offer is chosen for
///   each
/// @param timeoutSeconds how long a provider may take to answer, transfers aside
/// @param candidatesMax how many providers are asked for one job before it waits
public record RequesterConfig(
    @Setting(
            value = "",
            help =
                "Peer id of the one provider that jobs go to; empty to choose among live offers.")
        Optional<PeerId> provider,
    @Setting(value = "30", help = "How long a provider may take to answer, transfers aside.")
        int timeoutSeconds,
    @Setting(value = "8", help = "How many providers are asked for one job before it waits.")
        int candidatesMax) {}
