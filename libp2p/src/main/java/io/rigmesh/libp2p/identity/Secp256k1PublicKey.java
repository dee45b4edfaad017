package io.rigmesh.libp2p.identity;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;

/// A secp256k1 key: the compressed point, 33 bytes. Signatures are DER over SHA-256.
public final class Secp256k1PublicKey implements PublicKey {
  private static final ECDomainParameters CURVE = curve();

  private final byte[] data;
  private final ECPublicKeyParameters parameters;

  /// @throws IllegalArgumentException when it is not a compressed point of the curve
  public Secp256k1PublicKey(byte[] data) {
    if (data.length != 33) {
      throw new IllegalArgumentException(
          "A secp256k1 key is a compressed point of 33 bytes, not " + data.length);
    }
    this.data = data.clone();
    this.parameters = new ECPublicKeyParameters(CURVE.getCurve().decodePoint(this.data), CURVE);
  }

  private static ECDomainParameters curve() {
    X9ECParameters named = CustomNamedCurves.getByName("secp256k1");
    return new ECDomainParameters(named);
  }

  @Override
  public KeyType type() {
    return KeyType.SECP256K1;
  }

  @Override
  public byte[] data() {
    return data.clone();
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    try {
      // Null for no bytes at all.
      ASN1Primitive value = ASN1Primitive.fromByteArray(signature);
      if (!(value instanceof ASN1Sequence pair)
          || pair.size() != 2
          || !(pair.getObjectAt(0) instanceof ASN1Integer r)
          || !(pair.getObjectAt(1) instanceof ASN1Integer s)) {
        return false;
      }
      ECDSASigner signer = new ECDSASigner();
      signer.init(false, parameters);
      return signer.verifySignature(
          MessageDigest.getInstance("SHA-256").digest(message), r.getValue(), s.getValue());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("This Java runtime lacks SHA-256", e);
    } catch (IOException | RuntimeException e) {
      // BouncyCastle throws many unchecked exceptions on malformed input, some on first use.
      return false;
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Secp256k1PublicKey that && Arrays.equals(data, that.data);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(data);
  }
}
