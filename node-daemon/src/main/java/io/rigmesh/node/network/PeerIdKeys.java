package io.rigmesh.node.network;

import io.rigmesh.ledger.escrow.PeerKeys;
import io.rigmesh.libp2p.identity.PeerId;

/// The keys of peers whose ids hold them whole, as those of Ed25519 and secp256k1 do.
public final class PeerIdKeys implements PeerKeys {
  @Override
  public boolean isSigned(byte[] peerId, byte[] text, byte[] signature) {
    try {
      return PeerId.of(peerId).publicKey().map(key -> key.verify(text, signature)).orElse(false);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
