package io.rigmesh.ledger.escrow;

import io.rigmesh.protocol.Address;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A peer's word that it belongs to an account, as ProviderRegistry keeps it: the account's own
/// word is its transaction. Immutable.
public final class PeerBinding {
  private static final byte[] TAG = "rigmesh-peer-binding-v1".getBytes(StandardCharsets.US_ASCII);

  private final byte[] peerId;
  private final byte[] signature;

  /// A word.
  ///
  /// @param peerId the binary form of a libp2p peer id
  /// @param signature the peer's key over [#text]
  public PeerBinding(byte[] peerId, byte[] signature) {
    this.peerId = peerId.clone();
    this.signature = signature.clone();
  }

  /// What the peer signs: the tag, the chain's id (u64), the registry and the account.
  public static byte[] text(long chainId, Address registry, Address account) {
    return ByteBuffer.allocate(TAG.length + Long.BYTES + 2 * Address.BYTES)
        .put(TAG)
        .putLong(chainId)
        .put(registry.bytes())
        .put(account.bytes())
        .array();
  }

  /// A copy of the peer's id.
  public byte[] peerId() {
    return peerId.clone();
  }

  /// A copy of the signature.
  public byte[] signature() {
    return signature.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PeerBinding that
        && Arrays.equals(peerId, that.peerId)
        && Arrays.equals(signature, that.signature);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(peerId) + Arrays.hashCode(signature);
  }
}
