package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.Random;

/// Peers to test with.
final class KadPeers {
  private KadPeers() {}

  static PeerId peer(long seed) {
    byte[] id = new byte[34];
    new Random(seed).nextBytes(id);
    id[0] = 0x12;
    id[1] = 0x20;
    return PeerId.of(id);
  }

  /// A peer whose point shares at least so many bits with another.
  static PeerId peerNear(KadKey point, int prefix, Random random) {
    while (true) {
      PeerId peer = peer(random.nextLong());
      if (point.commonPrefix(KadKey.of(peer)) >= prefix) {
        return peer;
      }
    }
  }

  static PeerAddress at(PeerId peer, String... addresses) {
    return new PeerAddress(peer, List.of(addresses).stream().map(Multiaddr::of).toList());
  }
}
