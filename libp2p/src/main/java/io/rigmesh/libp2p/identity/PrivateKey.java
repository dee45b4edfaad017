package io.rigmesh.libp2p.identity;

/// A key that signs; only Ed25519 ones are made here.
public sealed interface PrivateKey permits Ed25519PrivateKey {
  PublicKey publicKey();

  byte[] sign(byte[] message);

  /// The private key message, to be stored where only its owner reads.
  byte[] bytes();
}
