package io.rigmesh.libp2p.autonat;

import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Instant;

/// What servers found about one address of this host.
///
/// @param state PUBLIC when the address was dialled, PRIVATE when dialling it failed
/// @param successes servers whose last dial succeeded
/// @param failures servers whose last dial failed
/// @param at when the last of them answered
public record AddressVerdict(
    Multiaddr address, Reachability state, int successes, int failures, Instant at) {}
