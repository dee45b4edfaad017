package io.rigmesh.libp2p.identify;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identify.wire.IdentifyWire;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;

/// What a fuzzer may feed identify.
public final class IdentifyFuzz {
  private static final Ed25519PrivateKey KEY = Ed25519PrivateKey.ofSeed(new byte[32]);
  private static final PeerId PEER = PeerId.of(KEY.publicKey());

  private IdentifyFuzz() {}

  /// A message with every field.
  public static byte[] seed() {
    Multiaddr address = Multiaddr.of("/ip4/1.2.3.4/tcp/5");
    return IdentifyWire.Identify.newBuilder()
        .setPublicKey(ByteString.copyFrom(KEY.publicKey().bytes()))
        .addListenAddrs(ByteString.copyFrom(address.bytes()))
        .addProtocols("/ipfs/ping/1.0.0")
        .setObservedAddr(ByteString.copyFrom(address.bytes()))
        .setAgentVersion("fuzz")
        .setSignedPeerRecord(
            ByteString.copyFrom(new PeerRecord(PEER, 7, List.of(address)).seal(KEY).bytes()))
        .build()
        .toByteArray();
  }

  /// Reads a message and what it says of a peer.
  public static void message(byte[] bytes) {
    try {
      IdentifyWire.Identify.Builder merged = IdentifyWire.Identify.newBuilder();
      IdentifyReader.merge(merged, bytes, "fuzz");
      IdentifyReader.info(
          merged.build(), PEER, AddressScope.PUBLIC, IdentifyReader.nothingKnown(PEER));
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
  }
}
