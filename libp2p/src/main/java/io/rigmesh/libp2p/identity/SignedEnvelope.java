package io.rigmesh.libp2p.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.wire.IdentityWire;
import io.rigmesh.libp2p.multiformats.Varint;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A payload with its type and the signature of a peer over both and a domain (libp2p's RFC 0002).
/// An instance has been verified for the domain it was opened with.
public final class SignedEnvelope {
  /// Longer envelopes are refused.
  public static final int BYTES_MAX = 16 * 1024;

  private final PublicKey key;
  private final byte[] payloadType;
  private final byte[] payload;
  private final byte[] signature;

  private SignedEnvelope(PublicKey key, byte[] payloadType, byte[] payload, byte[] signature) {
    this.key = key;
    this.payloadType = payloadType;
    this.payload = payload;
    this.signature = signature;
  }

  public static SignedEnvelope seal(
      PrivateKey key, String domain, byte[] payloadType, byte[] payload) {
    return new SignedEnvelope(
        key.publicKey(),
        payloadType.clone(),
        payload.clone(),
        key.sign(signedBytes(domain, payloadType, payload)));
  }

  /// Reads an envelope and checks its signature in a domain and its payload's type.
  ///
  /// @throws PeerMisbehaviourException when it is malformed, of another type, or the signature is
  ///   wrong
  public static SignedEnvelope open(byte[] bytes, String domain, byte[] payloadType) {
    if (bytes.length > BYTES_MAX) {
      throw new PeerMisbehaviourException(
          "A signed envelope of " + bytes.length + " bytes is over " + BYTES_MAX);
    }
    IdentityWire.Envelope message;
    PublicKey key;
    try {
      message = IdentityWire.Envelope.parseFrom(bytes);
      key = PublicKey.of(message.getPublicKey().toByteArray());
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      throw new PeerMisbehaviourException("A signed envelope is malformed: " + e.getMessage(), e);
    }
    byte[] type = message.getPayloadType().toByteArray();
    byte[] payload = message.getPayload().toByteArray();
    byte[] signature = message.getSignature().toByteArray();
    if (!Arrays.equals(type, payloadType)) {
      throw new PeerMisbehaviourException(
          "A signed envelope in '" + domain + "' has another payload type");
    }
    if (!key.verify(signedBytes(domain, type, payload), signature)) {
      throw new PeerMisbehaviourException(
          "The signature of an envelope in '" + domain + "' is wrong");
    }
    return new SignedEnvelope(key, type, payload, signature);
  }

  private static byte[] signedBytes(String domain, byte[] payloadType, byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] field :
        new byte[][] {domain.getBytes(StandardCharsets.UTF_8), payloadType, payload}) {
      Varint.write(field.length, out);
      out.writeBytes(field);
    }
    return out.toByteArray();
  }

  public PublicKey key() {
    return key;
  }

  /// The peer that signed.
  public PeerId signer() {
    return PeerId.of(key);
  }

  public byte[] payload() {
    return payload.clone();
  }

  public byte[] bytes() {
    try {
      return IdentityWire.Envelope.newBuilder()
          .setPublicKey(IdentityWire.PublicKey.parseFrom(key.bytes()))
          .setPayloadType(ByteString.copyFrom(payloadType))
          .setPayload(ByteString.copyFrom(payload))
          .setSignature(ByteString.copyFrom(signature))
          .build()
          .toByteArray();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("A public key does not read back", e);
    }
  }
}
