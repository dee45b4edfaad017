package io.rigmesh.libp2p.identify;

import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a peer says of itself. Only its key has been checked; the rest is its word.
///
/// @param protocolVersion family of protocols, such as `ipfs/0.1.0`; empty when not said
/// @param agentVersion software, such as `rigmesh/0.1.0`; empty when not said
/// @param addresses where it says it listens, without those that cannot be reached from here
/// @param observedAddress where it sees this host
/// @param signedRecord its addresses signed by itself
public record IdentifyInfo(
    PeerId peer,
    String protocolVersion,
    String agentVersion,
    List<Multiaddr> addresses,
    Set<ProtocolId> protocols,
    Optional<Multiaddr> observedAddress,
    Optional<SignedEnvelope> signedRecord) {
  public IdentifyInfo {
    addresses = List.copyOf(addresses);
    protocols = Set.copyOf(protocols);
  }

  /// Whether the peer serves a protocol.
  public boolean speaks(ProtocolId protocol) {
    return protocols.contains(protocol);
  }
}
