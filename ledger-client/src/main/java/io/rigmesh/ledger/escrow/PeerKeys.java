package io.rigmesh.ledger.escrow;

/// Knows the keys of peers, which the chain and this module do not.
@FunctionalInterface
public interface PeerKeys {
  /// Whether the key of a peer signed a text. False, too, where the id names no key that can be
  /// told from it.
  ///
  /// @param peerId the binary form of a libp2p peer id
  boolean isSigned(byte[] peerId, byte[] text, byte[] signature);
}
