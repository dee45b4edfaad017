package io.rigmesh.ledger.receipt;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.MerkleTree;
import java.util.List;

/// That one receipt is under a Merkle root, for whoever has the receipt: its place and the sibling
/// hashes from the leaf upwards.
///
/// @param root the root, of the form of a voucher's: [MerkleTree] over the receipts' hashes
/// @param index the receipt's place under it, from 0
/// @param count how many receipts are under it
/// @param path the sibling hashes
public record ReceiptProof(Hash root, int index, int count, List<Hash> path) {
  /// Copies the path.
  public ReceiptProof {
    path = List.copyOf(path);
  }

  /// The root over receipts, each given by its hash.
  public static Hash root(List<Hash> receipts) {
    return MerkleTree.root(leaves(receipts));
  }

  /// The proof of one of them.
  ///
  /// @throws MalformedException if the receipt is not among them
  public static ReceiptProof of(List<Hash> receipts, Hash receipt) {
    int index = receipts.indexOf(receipt);
    if (index < 0) {
      throw new MalformedException(
          "the receipt %s is none of the %d that were given".formatted(receipt, receipts.size()));
    }
    List<Hash> leaves = leaves(receipts);
    return new ReceiptProof(
        MerkleTree.root(leaves), index, leaves.size(), MerkleTree.path(leaves, index));
  }

  private static List<Hash> leaves(List<Hash> receipts) {
    return receipts.stream().map(receipt -> MerkleTree.leaf(receipt.bytes())).toList();
  }
}
