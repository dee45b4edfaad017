package io.rigmesh.libp2p.identity;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;

/// An RSA key of 2,048 to 8,192 bits, as a DER SubjectPublicKeyInfo; signatures are SHA256withRSA.
public final class RsaPublicKey implements PublicKey {
  private static final int BITS_MIN = 2048;
  private static final int BITS_MAX = 8192;

  private final byte[] data;
  private final RSAPublicKey key;

  /// @throws IllegalArgumentException when it is not such a key
  public RsaPublicKey(byte[] data) {
    this.data = data.clone();
    try {
      this.key =
          (RSAPublicKey)
              KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(this.data));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("Not an RSA key: " + e.getMessage(), e);
    }
    int bits = key.getModulus().bitLength();
    if (bits < BITS_MIN || bits > BITS_MAX) {
      throw new IllegalArgumentException(
          "An RSA key has " + BITS_MIN + " to " + BITS_MAX + " bits, not " + bits + " bits");
    }
  }

  @Override
  public KeyType type() {
    return KeyType.RSA;
  }

  @Override
  public byte[] data() {
    return data.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    try {
      Signature verifier = Signature.getInstance("SHA256withRSA");
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    } catch (SignatureException e) {
      return false;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java runtime lacks SHA256withRSA", e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RsaPublicKey that && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(data);
  }
}
