package io.rigmesh.libp2p.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.rigmesh.libp2p.identity.wire.IdentityWire;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/// An Ed25519 key pair. Its stored form holds the 32-byte seed and the public key behind it.
public final class Ed25519PrivateKey implements PrivateKey {
  private final Ed25519PrivateKeyParameters parameters;
  private final Ed25519PublicKey publicKey;

  private Ed25519PrivateKey(Ed25519PrivateKeyParameters parameters) {
    this.parameters = parameters;
    this.publicKey = new Ed25519PublicKey(parameters.generatePublicKey().getEncoded());
  }

  public static Ed25519PrivateKey generate(SecureRandom random) {
    return new Ed25519PrivateKey(new Ed25519PrivateKeyParameters(random));
  }

  /// The key pair of a 32-byte seed.
  public static Ed25519PrivateKey ofSeed(byte[] seed) {
    if (seed.length != 32) {
      throw new IllegalArgumentException("An Ed25519 seed has 32 bytes, not " + seed.length);
    }
    return new Ed25519PrivateKey(new Ed25519PrivateKeyParameters(seed, 0));
  }

  /// Reads a private key message.
  ///
  /// @throws IllegalArgumentException when it is malformed, of another kind, or its halves do not
  ///   belong together
  public static Ed25519PrivateKey of(byte[] bytes) {
    IdentityWire.PrivateKey message;
    try {
      message = IdentityWire.PrivateKey.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("Not a private key message: " + e.getMessage(), e);
    }
    byte[] data = message.getData().toByteArray();
    // Older software repeats the public key once more at the end.
    if (message.getType() != IdentityWire.KeyType.ED25519
        || (data.length != 64 && data.length != 96)) {
      throw new IllegalArgumentException(
          "Not an Ed25519 private key: type "
              + message.getType()
              + " of "
              + data.length
              + " bytes");
    }
    Ed25519PrivateKey key = new Ed25519PrivateKey(new Ed25519PrivateKeyParameters(data, 0));
    byte[] publicPart = key.publicKey.data();
    for (int at = 32; at < data.length; at += 32) {
      if (!Arrays.equals(publicPart, Arrays.copyOfRange(data, at, at + 32))) {
        throw new IllegalArgumentException("The halves of an Ed25519 key do not belong together");
      }
    }
    return key;
  }

  @Override
  public Ed25519PublicKey publicKey() {
    return publicKey;
  }

  @Override
  public byte[] sign(byte[] message) {
    byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
    parameters.sign(Ed25519.Algorithm.Ed25519, null, message, 0, message.length, signature, 0);
    return signature;
  }

  @Override
  public byte[] bytes() {
    return IdentityWire.PrivateKey.newBuilder()
        .setType(IdentityWire.KeyType.ED25519)
        .setData(
            ByteString.copyFrom(parameters.getEncoded())
                .concat(ByteString.copyFrom(publicKey.data())))
        .build()
        .toByteArray();
  }
}
