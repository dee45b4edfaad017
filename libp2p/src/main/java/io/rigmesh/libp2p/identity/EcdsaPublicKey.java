package io.rigmesh.libp2p.identity;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;

/// An ECDSA key on a NIST curve, as a DER SubjectPublicKeyInfo; signatures are SHA256withECDSA.
public final class EcdsaPublicKey implements PublicKey {
  private final byte[] data;
  private final java.security.PublicKey key;

  /// @throws IllegalArgumentException when it is not such a key
  public EcdsaPublicKey(byte[] data) {
    this.data = data.clone();
    try {
      this.key = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(this.data));
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("Not an ECDSA key: " + e.getMessage(), e);
    }
  }

  @Override
  public KeyType type() {
    return KeyType.ECDSA;
  }

  @Override
  public byte[] data() {
    return data.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    try {
      Signature verifier = Signature.getInstance("SHA256withECDSA");
      verifier.initVerify(key);
      verifier.update(message);
      return verifier.verify(signature);
    } catch (SignatureException e) {
      return false;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java runtime lacks SHA256withECDSA", e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EcdsaPublicKey that && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(data);
  }
}
