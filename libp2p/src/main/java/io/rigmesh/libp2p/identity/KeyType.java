package io.rigmesh.libp2p.identity;

/// The kinds of key a peer may have, with their numbers in key messages (the peer-ids
/// specification).
public enum KeyType {
  RSA,
  ED25519,
  SECP256K1,
  ECDSA
}
