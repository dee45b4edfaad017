package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.Optional;

/// `<where the relay is>/p2p/<relay>/p2p-circuit[/p2p/<peer>]`, taken apart.
///
/// @param whole up to and with `/p2p-circuit`
/// @param target who is behind the relay, when the address says so
record RelayedAddress(Multiaddr whole, PeerAddress relay, Optional<PeerId> target) {
  /// Empty when the address is of another kind, or leads through several relays.
  static Optional<RelayedAddress> of(Multiaddr address) {
    List<AddressPart> parts = address.parts();
    int circuit = -1;
    for (int i = 0; i < parts.size(); i++) {
      if (parts.get(i).protocol() == AddressProtocol.P2P_CIRCUIT) {
        if (circuit >= 0) {
          return Optional.empty();
        }
        circuit = i;
      }
    }
    if (circuit < 1 || parts.get(circuit - 1).protocol() != AddressProtocol.P2P) {
      return Optional.empty();
    }
    int behind = parts.size() - circuit - 1;
    if (behind > 1 || (behind == 1 && address.peerId().isEmpty())) {
      return Optional.empty();
    }
    return Optional.of(
        new RelayedAddress(
            address.slice(0, circuit + 1),
            PeerAddress.of(address.slice(0, circuit)),
            behind == 1 ? address.peerId() : Optional.empty()));
  }
}
