package io.rigmesh.libp2p.noise;

import com.google.protobuf.ByteString;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.noise.wire.NoiseWire.NoiseHandshakePayload;
import io.rigmesh.libp2p.yamux.TrackedAllocator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/// What a fuzzer may feed a Noise handshake.
public final class NoiseFuzz {
  private static final Ed25519PrivateKey KEY = Ed25519PrivateKey.ofSeed(new byte[32]);
  private static final byte[] STATIC_KEY = new byte[32];
  private static final List<String> MUXERS = List.of("/yamux/1.0.0");

  private NoiseFuzz() {}

  /// A payload that proves a peer.
  public static byte[] payloadSeed() {
    return NoiseHandshakePayload.newBuilder()
        .setIdentityKey(ByteString.copyFrom(KEY.publicKey().bytes()))
        .setIdentitySig(ByteString.copyFrom(KEY.sign(NoiseSecurity.signed(STATIC_KEY))))
        .build()
        .toByteArray();
  }

  /// The frame of a first message.
  public static byte[] handshakeSeed() {
    byte[] message = new byte[34];
    message[1] = 32;
    message[2] = 9;
    return message;
  }

  /// Checks a payload that was decrypted.
  public static void payload(byte[] bytes) {
    try {
      RemoteProof.check(bytes, STATIC_KEY, Direction.INBOUND, MUXERS, null);
    } catch (PeerMisbehaviourException e) {
      // Refused.
    }
  }

  /// Hears these bytes as a responder or an initiator: only a proven peer may come of it, and no
  /// memory stays behind.
  public static void handshake(byte[] bytes) {
    TrackedAllocator memory = new TrackedAllocator();
    EmbeddedChannel channel = new EmbeddedChannel();
    channel.config().setAllocator(memory.allocator());
    Direction role = bytes.length % 2 == 0 ? Direction.INBOUND : Direction.OUTBOUND;
    CompletableFuture<NoiseSession> session =
        new NoiseSecurity(KEY, MUXERS).upgrade(channel, role, null);
    channel.writeInbound(Unpooled.copiedBuffer(bytes));
    channel.finishAndReleaseAll();
    try {
      throw new IllegalStateException("A peer was proven: " + session.join());
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof Libp2pException)) {
        throw e;
      }
    }
    if (memory.usedBytes() != 0) {
      throw new IllegalStateException(memory.usedBytes() + " bytes are left");
    }
  }
}
