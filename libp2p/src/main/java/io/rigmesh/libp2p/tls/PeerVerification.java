package io.rigmesh.libp2p.tls;

import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.transport.Failures;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Whom one connection expects, and whom it found. There is one for each connection, never one that
/// several share: what one handshake learns must not reach another. Thread-safe.
public final class PeerVerification {
  private final @Nullable PeerId expected;
  private volatile @Nullable PublicKey remoteKey;
  private volatile @Nullable Libp2pException refusal;

  /// @param expected the only peer to accept; null accepts any
  public PeerVerification(@Nullable PeerId expected) {
    this.expected = expected;
  }

  /// Called inside the handshake, which fails with the exception.
  ///
  /// @throws CertificateException when the certificates are wrong or those of another peer
  public void verify(X509Certificate[] chain) throws CertificateException {
    PublicKey key;
    try {
      key = PeerCertificate.verify(encoded(chain), Instant.now());
    } catch (CertificateException e) {
      refusal = new PeerMisbehaviourException(Failures.message(e), e);
      throw e;
    }
    if (expected != null && !expected.matches(key)) {
      // The address may simply have a new owner: that is no misbehaviour.
      Libp2pException other =
          new Libp2pException("The remote is " + PeerId.of(key) + ", not the expected " + expected);
      refusal = other;
      throw new CertificateException(other);
    }
    remoteKey = key;
  }

  /// The remote's key, once the handshake has succeeded.
  ///
  /// @throws Libp2pException when it has not been verified
  public PublicKey remoteKey() {
    PublicKey key = remoteKey;
    if (key != null) {
      return key;
    }
    Libp2pException why = refusal;
    throw why != null ? why : new PeerMisbehaviourException("The remote has shown no certificate");
  }

  /// Why the remote was refused; null when it was not, or not yet.
  public @Nullable Libp2pException refusal() {
    return refusal;
  }

  private static List<byte[]> encoded(X509Certificate[] chain) throws CertificateEncodingException {
    List<byte[]> encoded = new ArrayList<>();
    for (X509Certificate certificate : chain) {
      encoded.add(certificate.getEncoded());
    }
    return encoded;
  }
}
