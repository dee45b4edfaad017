package io.rigmesh.libp2p.noise;

import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.multiformats.ProtobufBounds;
import io.rigmesh.libp2p.noise.wire.NoiseWire.NoiseHandshakePayload;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Checks the payload of a handshake message: the identity key, its signature over the static key,
/// and the list of multiplexers.
final class RemoteProof {
  /// Far above what honest peers send (a key, a signature and a few names), and small in memory.
  private static final ProtobufBounds BOUNDS =
      ProtobufBounds.fields(16).nested(4, 1, ProtobufBounds.fields(64).atMost(1, 32).atMost(2, 32));

  private RemoteProof() {}

  /// @param payload decrypted
  /// @param remoteStatic the static key that the handshake has proven
  /// @throws PeerMisbehaviourException naming what is wrong
  static NoiseSession check(
      byte[] payload,
      byte[] remoteStatic,
      Direction role,
      List<String> ownMuxers,
      @Nullable PeerId expected) {
    NoiseHandshakePayload message = parse(payload);
    if (!message.hasIdentityKey() || !message.hasIdentitySig()) {
      throw new PeerMisbehaviourException(
          "noise: the remote's handshake lacks its identity key or signature");
    }
    PublicKey key;
    try {
      key = PublicKey.of(message.getIdentityKey().toByteArray());
    } catch (IllegalArgumentException e) {
      throw new PeerMisbehaviourException(
          "noise: the remote's identity key is malformed: " + e.getMessage(), e);
    }
    // Who it claims to be is compared first: it costs less than the signature.
    if (expected != null && !expected.matches(key)) {
      throw new PeerMisbehaviourException(
          "noise: expected peer " + expected + ", but " + PeerId.of(key) + " answered");
    }
    if (!key.verify(NoiseSecurity.signed(remoteStatic), message.getIdentitySig().toByteArray())) {
      throw new PeerMisbehaviourException(
          "noise: " + PeerId.of(key) + "'s signature over its static key is wrong");
    }
    List<String> theirs = message.getExtensions().getStreamMuxersList();
    return new NoiseSession(key, agree(role, ownMuxers, theirs));
  }

  /// The first of the initiator's that the responder has too.
  private static Optional<String> agree(Direction role, List<String> own, List<String> theirs) {
    if (own.isEmpty() || theirs.isEmpty()) {
      return Optional.empty();
    }
    List<String> initiators = role == Direction.OUTBOUND ? own : theirs;
    List<String> responders = role == Direction.OUTBOUND ? theirs : own;
    for (String muxer : initiators) {
      if (responders.contains(muxer)) {
        return Optional.of(muxer);
      }
    }
    throw new PeerMisbehaviourException(
        "noise: no multiplexer in common: " + own + " here, " + theirs + " there");
  }

  private static NoiseHandshakePayload parse(byte[] payload) {
    try {
      return NoiseHandshakePayload.parseFrom(BOUNDS.check("noise", payload));
    } catch (InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(
          "noise: the remote's handshake payload is malformed: " + e.getMessage(), e);
    }
  }
}
