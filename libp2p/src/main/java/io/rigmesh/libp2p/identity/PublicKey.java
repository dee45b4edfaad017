package io.rigmesh.libp2p.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.identity.wire.IdentityWire;

/// A peer's public key. Ed25519, secp256k1, ECDSA and RSA keys are read; equal when their messages
/// are.
public sealed interface PublicKey
    permits Ed25519PublicKey, Secp256k1PublicKey, EcdsaPublicKey, RsaPublicKey {
  /// Longer key messages are refused: an RSA key of 8,192 bits takes 1,062 bytes.
  int BYTES_MAX = 2048;

  KeyType type();

  /// The key's own bytes, in the form that its type asks for.
  byte[] data();

  /// Whether the signature over the message was made with this key's private part. Never throws on
  /// a malformed signature: that is false.
  boolean verify(byte[] message, byte[] signature);

  /// The key message (deterministic: type, then data).
  default byte[] bytes() {
    return IdentityWire.PublicKey.newBuilder()
        .setType(IdentityWire.KeyType.valueOf(type().name()))
        .setData(ByteString.copyFrom(data()))
        .build()
        .toByteArray();
  }

  /// Reads a key message.
  ///
  /// @throws IllegalArgumentException when it is too long, malformed, or not a point or modulus of
  ///   its kind
  static PublicKey of(byte[] bytes) {
    if (bytes.length > BYTES_MAX) {
      throw new IllegalArgumentException(
          "A public key of " + bytes.length + " bytes is over " + BYTES_MAX);
    }
    IdentityWire.PublicKey message;
    try {
      message = IdentityWire.PublicKey.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("Not a public key message: " + e.getMessage(), e);
    }
    byte[] data = message.getData().toByteArray();
    return switch (message.getType()) {
      case ED25519 -> new Ed25519PublicKey(data);
      case SECP256K1 -> new Secp256k1PublicKey(data);
      case ECDSA -> new EcdsaPublicKey(data);
      case RSA -> new RsaPublicKey(data);
    };
  }
}
