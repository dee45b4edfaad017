package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.List;

/// What of a peer's addresses is told to a remote, or believed when it tells them: only what
/// reaches as far as the connection that the talk runs over. Others would be useless, or make us
/// knock at doors inside our own network.
final class UsableAddresses {
  private UsableAddresses() {}

  /// The peer with those of its addresses, at most [KadMessage#ADDRESSES_MAX].
  static PeerAddress of(PeerAddress peer, AddressScope remote) {
    List<Multiaddr> usable = new ArrayList<>(peer.addresses().size());
    for (Multiaddr address : peer.addresses()) {
      if (usable.size() < KadMessage.ADDRESSES_MAX && AddressScope.of(address).usableFrom(remote)) {
        usable.add(address);
      }
    }
    return usable.size() == peer.addresses().size() ? peer : new PeerAddress(peer.peer(), usable);
  }
}
