package io.rigmesh.libp2p.mdns;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;

/// What a fuzzer may feed multicast DNS.
public final class MdnsFuzz {
  private static final MdnsPeer OTHER = peer(1);

  private MdnsFuzz() {}

  private static MdnsPeer peer(int seed) {
    byte[] key = new byte[32];
    key[0] = (byte) seed;
    return new MdnsPeer(
        PeerId.of(Ed25519PrivateKey.ofSeed(key).publicKey()),
        "a".repeat(40),
        MdnsSettings.defaults());
  }

  /// The answer of a peer that was asked for.
  public static byte[] seed() {
    MdnsPeer peer = peer(2);
    return peer.answer(peer.ask(), List.of(Multiaddr.of("/ip4/192.168.1.2/tcp/5")))
        .orElseThrow()
        .bytes();
  }

  /// Reads a packet, answers it, and looks for peers in it.
  public static void packet(byte[] bytes) {
    DnsMessage message;
    try {
      message = DnsMessage.of(bytes);
      OTHER.found(message);
    } catch (IllegalArgumentException refused) {
      // What Mdns passes over, for a message as for a record in it.
      return;
    }
    OTHER
        .answer(message, List.of(Multiaddr.of("/ip4/192.168.1.3/tcp/5")))
        .ifPresent(answer -> DnsMessage.of(answer.bytes()));
  }
}
