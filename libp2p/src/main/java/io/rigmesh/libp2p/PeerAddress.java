package io.rigmesh.libp2p;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;

/// A peer and where it may be reached, in no order of preference; no address carries `/p2p/` of the
/// peer itself at its end.
public record PeerAddress(PeerId peer, List<Multiaddr> addresses) {
  public PeerAddress {
    addresses = List.copyOf(addresses);
  }

  /// Splits an address that ends in `/p2p/<peer id>` into the peer and the rest.
  ///
  /// @throws IllegalArgumentException when it does not end so
  public static PeerAddress of(Multiaddr address) {
    PeerId peer =
        address
            .peerId()
            .orElseThrow(() ->
                new IllegalArgumentException("The address must end in /p2p/<peer id>: " + address));
    Multiaddr rest = address.withoutPeerId();
    return new PeerAddress(peer, rest.isEmpty() ? List.of() : List.of(rest));
  }

  /// Reads `/ip4/1.2.3.4/tcp/4070/p2p/12D3...`.
  public static PeerAddress of(String address) {
    return of(Multiaddr.of(address));
  }
}
