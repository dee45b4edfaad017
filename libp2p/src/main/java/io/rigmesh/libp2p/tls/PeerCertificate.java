package io.rigmesh.libp2p.tls;

import io.rigmesh.libp2p.identity.PublicKey;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.CertException;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;

/// Checks the certificate that a remote shows (tls specification, "Peer Authentication"): the rules
/// of libp2p and none of the web's.
public final class PeerCertificate {
  /// Longer certificates are refused before they are read: one with keys and signatures of RSA with
  /// 8,192 bits takes 5 KiB.
  static final int BYTES_MAX = 8 * 1024;

  private static final Set<ASN1ObjectIdentifier> SIGNATURES =
      Set.of(
          X9ObjectIdentifiers.ecdsa_with_SHA256,
          X9ObjectIdentifiers.ecdsa_with_SHA384,
          X9ObjectIdentifiers.ecdsa_with_SHA512,
          EdECObjectIdentifiers.id_Ed25519,
          PKCSObjectIdentifiers.sha256WithRSAEncryption,
          PKCSObjectIdentifiers.sha384WithRSAEncryption,
          PKCSObjectIdentifiers.sha512WithRSAEncryption,
          PKCSObjectIdentifiers.id_RSASSA_PSS);

  private PeerCertificate() {}

  /// The key of the host whose certificate this is.
  ///
  /// @param chain what the remote sent, each in DER
  /// @throws CertificateException naming the rule that it breaks
  public static PublicKey verify(List<byte[]> chain, Instant now) throws CertificateException {
    if (chain.size() != 1) {
      throw new CertificateException(
          "The remote showed " + chain.size() + " certificates instead of exactly one");
    }
    byte[] der = chain.getFirst();
    if (der.length > BYTES_MAX) {
      throw new CertificateException(
          "The remote's certificate of " + der.length + " bytes is over " + BYTES_MAX);
    }
    try {
      return verify(new X509CertificateHolder(der), now);
    } catch (IOException | CertException | OperatorCreationException | RuntimeException e) {
      // BouncyCastle throws many unchecked exceptions on malformed input.
      throw new CertificateException("The remote's certificate is malformed: " + e.getMessage(), e);
    }
  }

  private static PublicKey verify(X509CertificateHolder certificate, Instant now)
      throws CertificateException, IOException, CertException, OperatorCreationException {
    TBSCertificate body = certificate.toASN1Structure().getTBSCertificate();
    if (body.getIssuerUniqueId() != null || body.getSubjectUniqueId() != null) {
      throw new CertificateException("The remote's certificate has a deprecated unique id");
    }
    Instant from = certificate.getNotBefore().toInstant();
    Instant to = certificate.getNotAfter().toInstant();
    if (now.isBefore(from)) {
      throw new CertificateException(
          "The remote's certificate is valid only from " + from + " on; here it is " + now);
    }
    if (now.isAfter(to)) {
      throw new CertificateException(
          "The remote's certificate has expired at " + to + "; here it is " + now);
    }
    Extension identity = identity(certificate.getExtensions());
    ASN1ObjectIdentifier algorithm = certificate.getSignatureAlgorithm().getAlgorithm();
    if (!SIGNATURES.contains(algorithm)) {
      throw new CertificateException(
          "The remote's certificate is signed with an algorithm that is not accepted: "
              + algorithm);
    }
    if (!certificate.isSignatureValid(
        new JcaContentVerifierProviderBuilder().build(certificate.getSubjectPublicKeyInfo()))) {
      throw new CertificateException("The remote's certificate is not signed by its own key");
    }
    return SignedKey.of(identity.getExtnValue().getOctets())
        .verify(certificate.getSubjectPublicKeyInfo().getEncoded());
  }

  private static Extension identity(Extensions extensions) throws CertificateException {
    if (extensions == null || extensions.getExtension(SignedKey.OID) == null) {
      throw new CertificateException("The remote's certificate lacks the libp2p extension");
    }
    for (ASN1ObjectIdentifier critical : extensions.getCriticalExtensionOIDs()) {
      if (!critical.equals(SignedKey.OID)) {
        throw new CertificateException(
            "The remote's certificate has a critical extension that is not known: " + critical);
      }
    }
    return extensions.getExtension(SignedKey.OID);
  }
}
