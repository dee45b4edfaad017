package io.rigmesh.libp2p.noise;

import com.google.protobuf.ByteString;
import io.netty.channel.Channel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.noise.wire.NoiseWire.NoiseExtensions;
import io.rigmesh.libp2p.noise.wire.NoiseWire.NoiseHandshakePayload;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Secures connections with Noise XX (the noise specification) and agrees on the multiplexer in the
/// same messages (connections/inlined-muxer-negotiation). One for each host: its static key lives
/// as long as it does, and is never stored. Thread-safe.
public final class NoiseSecurity {
  public static final String PROTOCOL = "/noise";

  static final byte[] SIGNATURE_PREFIX =
      "noise-libp2p-static-key:".getBytes(StandardCharsets.US_ASCII);

  private final SecureRandom random = new SecureRandom();
  private final KeyPair25519 staticKey = KeyPair25519.generate(random);
  private final List<String> muxers;
  private final byte[] payload;

  /// @param muxers protocol ids of multiplexers, the preferred one first
  public NoiseSecurity(PrivateKey identity, List<String> muxers) {
    this.muxers = List.copyOf(muxers);
    this.payload =
        NoiseHandshakePayload.newBuilder()
            .setIdentityKey(ByteString.copyFrom(identity.publicKey().bytes()))
            .setIdentitySig(ByteString.copyFrom(identity.sign(signed(staticKey.open()))))
            .setExtensions(NoiseExtensions.newBuilder().addAllStreamMuxers(this.muxers))
            .build()
            .toByteArray();
  }

  /// Adds a handler at the end of the pipeline that runs the handshake and then encrypts and
  /// decrypts all that passes it; call on the channel's event loop. The initiator's first message
  /// is written and flushed at once, so that it travels with what was written before and not yet
  /// flushed.
  ///
  /// The future completes on the event loop; handlers that its dependents add while they run in
  /// that thread miss nothing, for bytes that have arrived meanwhile are passed on after that. It
  /// fails when the handshake does, or when the channel is closed before its end (a time limit is
  /// the caller's, by closing the channel); the channel is closed whenever it fails.
  ///
  /// @param role outbound for who dialled: the initiator
  /// @param expected who the remote must prove to be; null accepts any
  public CompletableFuture<NoiseSession> upgrade(
      Channel channel, Direction role, @Nullable PeerId expected) {
    XxHandshake handshake =
        new XxHandshake(
            role == Direction.OUTBOUND, staticKey, KeyPair25519.generate(random), new byte[0]);
    NoiseHandshakeHandler handler =
        new NoiseHandshakeHandler(handshake, role, payload, muxers, expected);
    channel.pipeline().addLast("noise", handler);
    return handler.session();
  }

  /// What an identity key signs to bind a static key to itself.
  static byte[] signed(byte[] staticKey) {
    byte[] out = new byte[SIGNATURE_PREFIX.length + staticKey.length];
    System.arraycopy(SIGNATURE_PREFIX, 0, out, 0, SIGNATURE_PREFIX.length);
    System.arraycopy(staticKey, 0, out, SIGNATURE_PREFIX.length, staticKey.length);
    return out;
  }
}
