package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.Optional;

/// What a fuzzer may feed Kademlia.
public final class KadFuzz {
  private KadFuzz() {}

  /// A message as it stands on the wire.
  public static byte[] seed() {
    return new KadMessage(
            KadMessage.Type.GET_PROVIDERS,
            ByteString.copyFrom(new byte[34]),
            Optional.empty(),
            List.of(new PeerAddress(KadPeers.peer(1), List.of(Multiaddr.of("/ip4/1.2.3.4/tcp/5")))),
            List.of(new PeerAddress(KadPeers.peer(2), List.of(Multiaddr.of("/ip6/::1/tcp/5")))))
        .encode();
  }

  /// Reads a message; what was understood reads back.
  public static void message(byte[] bytes) {
    KadMessage message;
    try {
      message = KadMessage.decode("fuzz", bytes);
    } catch (PeerMisbehaviourException e) {
      return;
    }
    if (!KadMessage.decode("fuzz", message.encode()).equals(message)) {
      throw new IllegalStateException("Does not read back: " + message);
    }
  }
}
