package io.rigmesh.libp2p.tls;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.time.Instant;

/// Certificates that a peer must refuse, for tests of the handshakes that show them.
public final class ForgedCertificates {
  private ForgedCertificates() {}

  /// Claims a host's key that has signed another certificate's key.
  public static HostCertificate ofAnotherKey(Ed25519PrivateKey host) {
    return HostCertificate.issue(
        pair(), SignedKey.sign(host, pair().getPublic().getEncoded()), Instant.now(), random());
  }

  /// Ended yesterday.
  public static HostCertificate expired(Ed25519PrivateKey host) {
    KeyPair pair = pair();
    Instant then =
        Instant.now().minus(HostCertificate.VALID_FOR).minus(java.time.Duration.ofDays(1));
    return HostCertificate.issue(
        pair, SignedKey.sign(host, pair.getPublic().getEncoded()), then, random());
  }

  /// Says nothing of any host.
  public static HostCertificate withoutIdentity() {
    return HostCertificate.issue(pair(), null, Instant.now(), random());
  }

  private static KeyPair pair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static SecureRandom random() {
    return new SecureRandom();
  }
}
