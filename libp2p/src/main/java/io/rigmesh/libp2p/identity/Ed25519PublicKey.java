package io.rigmesh.libp2p.identity;

import java.util.Arrays;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/// An Ed25519 key: 32 bytes. BouncyCastle verifies several times faster than the JDK
/// (docs/benchmarks.md).
public final class Ed25519PublicKey implements PublicKey {
  private final byte[] data;
  private final Ed25519PublicKeyParameters parameters;

  /// @throws IllegalArgumentException when it is not a point of the curve in its canonical form
  public Ed25519PublicKey(byte[] data) {
    if (data.length != Ed25519PublicKeyParameters.KEY_SIZE) {
      throw new IllegalArgumentException("An Ed25519 key has 32 bytes, not " + data.length);
    }
    this.data = data.clone();
    this.parameters = new Ed25519PublicKeyParameters(this.data, 0);
  }

  @Override
  public KeyType type() {
    return KeyType.ED25519;
  }

  @Override
  public byte[] data() {
    return data.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    return signature.length == Ed25519.SIGNATURE_SIZE
        && parameters.verify(
            Ed25519.Algorithm.Ed25519, null, message, 0, message.length, signature, 0);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ed25519PublicKey that && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(data);
  }
}
