package io.rigmesh.libp2p.noise;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.security.SecureRandom;
import org.bouncycastle.math.ec.rfc7748.X25519;

/// An X25519 key pair in the raw form of RFC 7748.
final class KeyPair25519 {
  static final int BYTES = 32;

  private final byte[] secret;
  private final byte[] open;

  private KeyPair25519(byte[] secret, byte[] open) {
    this.secret = secret;
    this.open = open;
  }

  static KeyPair25519 generate(SecureRandom random) {
    byte[] secret = new byte[BYTES];
    X25519.generatePrivateKey(random, secret);
    return of(secret);
  }

  static KeyPair25519 of(byte[] secret) {
    byte[] open = new byte[BYTES];
    X25519.generatePublicKey(secret, 0, open, 0);
    return new KeyPair25519(secret, open);
  }

  /// The public key.
  byte[] open() {
    return open;
  }

  /// The shared secret with the remote's public key.
  ///
  /// @throws PeerMisbehaviourException when that key is a point of small order, with which the
  ///   secret would be known to all
  byte[] agree(byte[] remote) {
    byte[] shared = new byte[BYTES];
    if (!X25519.calculateAgreement(secret, 0, remote, 0, shared, 0)) {
      throw new PeerMisbehaviourException("noise: the remote's key is a point of small order");
    }
    return shared;
  }
}
