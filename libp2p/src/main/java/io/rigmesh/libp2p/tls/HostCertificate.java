package io.rigmesh.libp2p.tls;

import io.rigmesh.libp2p.identity.PrivateKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/// What this host shows in a TLS handshake: a self-signed certificate of a key of its own, which
/// carries the host's identity in the libp2p extension (tls specification, "Peer Authentication").
/// The key is ECDSA on P-256, which every TLS library verifies, and is not related to the host's.
///
/// @param certificate the only certificate of the chain
/// @param key its private key
public record HostCertificate(X509Certificate certificate, java.security.PrivateKey key) {
  /// Before the certificate is made, so that a remote whose clock is behind takes it.
  static final Duration VALID_BEFORE = Duration.ofDays(1);

  /// A certificate lives as long as its process; it need not end before.
  static final Duration VALID_FOR = Duration.ofDays(100 * 365);

  /// Makes a key and its certificate.
  public static HostCertificate issue(PrivateKey hostKey) {
    SecureRandom random = new SecureRandom();
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"), random);
      KeyPair pair = generator.generateKeyPair();
      SignedKey identity = SignedKey.sign(hostKey, pair.getPublic().getEncoded());
      return issue(pair, identity, Instant.now(), random);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java runtime cannot make P-256 keys", e);
    }
  }

  /// @param identity null for a certificate that no peer accepts
  static HostCertificate issue(
      KeyPair pair, @Nullable SignedKey identity, Instant now, SecureRandom random) {
    BigInteger serial = new BigInteger(63, random).add(BigInteger.ONE);
    X500Name name =
        new X500NameBuilder(BCStyle.INSTANCE)
            .addRDN(BCStyle.O, "libp2p.io")
            .addRDN(BCStyle.SERIALNUMBER, serial.toString())
            .build();
    try {
      ContentSigner signer =
          new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate());
      X509v3CertificateBuilder builder =
          new X509v3CertificateBuilder(
              name,
              serial,
              Date.from(now.minus(VALID_BEFORE)),
              Date.from(now.plus(VALID_FOR)),
              name,
              SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
      if (identity != null) {
        builder.addExtension(SignedKey.OID, false, identity.der());
      }
      byte[] der = builder.build(signer).getEncoded();
      X509Certificate certificate =
          (X509Certificate)
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(new ByteArrayInputStream(der));
      return new HostCertificate(certificate, pair.getPrivate());
    } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
      throw new IllegalStateException("This Java runtime cannot make X.509 certificates", e);
    }
  }
}
