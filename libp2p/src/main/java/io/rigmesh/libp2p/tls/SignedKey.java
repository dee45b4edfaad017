package io.rigmesh.libp2p.tls;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.identity.PublicKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;

/// The libp2p public key extension: a host's key, and its signature over the key of the certificate
/// that carries it (tls specification, "libp2p Public Key Extension").
///
/// @param hostKey the host's key message
/// @param signature by the host's key
record SignedKey(ByteString hostKey, ByteString signature) {
  static final ASN1ObjectIdentifier OID = new ASN1ObjectIdentifier("1.3.6.1.4.1.53594.1.1");

  private static final byte[] PREFIX = "libp2p-tls-handshake:".getBytes(StandardCharsets.US_ASCII);

  /// @param certificateKey the certificate's key as a SubjectPublicKeyInfo
  static SignedKey sign(PrivateKey hostKey, byte[] certificateKey) {
    return new SignedKey(
        ByteString.copyFrom(hostKey.publicKey().bytes()),
        ByteString.copyFrom(hostKey.sign(message(certificateKey))));
  }

  static SignedKey of(byte[] der) throws CertificateException {
    try {
      ASN1Sequence sequence = ASN1Sequence.getInstance(der);
      if (sequence.size() != 2) {
        throw new CertificateException(
            "The libp2p extension holds " + sequence.size() + " values, not a key and a signature");
      }
      return new SignedKey(
          ByteString.copyFrom(ASN1OctetString.getInstance(sequence.getObjectAt(0)).getOctets()),
          ByteString.copyFrom(ASN1OctetString.getInstance(sequence.getObjectAt(1)).getOctets()));
    } catch (IllegalArgumentException e) {
      throw new CertificateException("The libp2p extension is malformed: " + e.getMessage(), e);
    }
  }

  /// The host's key, if it has signed that certificate key.
  PublicKey verify(byte[] certificateKey) throws CertificateException {
    PublicKey key;
    try {
      key = PublicKey.of(hostKey.toByteArray());
    } catch (IllegalArgumentException e) {
      throw new CertificateException("The libp2p extension's key: " + e.getMessage(), e);
    }
    if (!key.verify(message(certificateKey), signature.toByteArray())) {
      throw new CertificateException(
          "The libp2p extension's signature is not the host key's over this certificate's key");
    }
    return key;
  }

  byte[] der() throws IOException {
    return new DERSequence(
            new DEROctetString[] {
              new DEROctetString(hostKey.toByteArray()), new DEROctetString(signature.toByteArray())
            })
        .getEncoded(ASN1Encoding.DER);
  }

  private static byte[] message(byte[] certificateKey) {
    byte[] message = Arrays.copyOf(PREFIX, PREFIX.length + certificateKey.length);
    System.arraycopy(certificateKey, 0, message, PREFIX.length, certificateKey.length);
    return message;
  }
}
