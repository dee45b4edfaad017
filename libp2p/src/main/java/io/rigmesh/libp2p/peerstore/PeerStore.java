package io.rigmesh.libp2p.peerstore;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// What is known of other peers: addresses with an expiry, protocols, agent, and signed records.
/// Bounded in peers and in addresses per peer: the least useful entry leaves first. Thread-safe.
public interface PeerStore {
  /// Remembers addresses of a peer for a while; an address that is known keeps the later expiry.
  void addAddresses(PeerId peer, Collection<Multiaddr> addresses, Duration timeToLive);

  /// Remembers a signed peer record; a record with a lower sequence number than the one known is
  /// ignored.
  ///
  /// @return whether it was taken
  /// @throws io.rigmesh.libp2p.PeerMisbehaviourException when the signature does not belong to the
  ///   peer
  default boolean addSignedRecord(SignedEnvelope envelope, Duration timeToLive) {
    return addSignedRecord(envelope, address -> true, timeToLive);
  }

  /// As [#addSignedRecord(SignedEnvelope, Duration)], and of its addresses only those that are of
  /// use here become addresses to dial.
  boolean addSignedRecord(
      SignedEnvelope envelope, Predicate<Multiaddr> useful, Duration timeToLive);

  Optional<SignedEnvelope> signedRecord(PeerId peer);

  /// Unexpired addresses; those of a signed record first.
  List<Multiaddr> addresses(PeerId peer);

  PeerAddress peerAddress(PeerId peer);

  void setProtocols(PeerId peer, Collection<ProtocolId> protocols);

  Set<ProtocolId> protocols(PeerId peer);

  void setAgent(PeerId peer, String agent);

  Optional<String> agent(PeerId peer);

  /// Every peer of which an unexpired address or a live connection is known.
  List<PeerId> peers();

  void remove(PeerId peer);
}
