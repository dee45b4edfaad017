package io.rigmesh.protocol;

import java.util.ArrayList;
import java.util.List;

/// SHA-256 Merkle trees with domain separation (leaf `0x00`, node `0x01`) and the left-heavy split
/// of RFC 6962: the left subtree of n leaves holds the largest power of two below n. The root of no
/// leaves is the SHA-256 of nothing.
public final class MerkleTree {
  private static final byte[] LEAF = {0};
  private static final byte[] NODE = {1};

  private MerkleTree() {}

  /// The hash of one leaf's bytes.
  public static Hash leaf(byte[] bytes) {
    return Digests.sha256(LEAF, bytes);
  }

  /// The root over leaf hashes.
  public static Hash root(List<Hash> leaves) {
    if (leaves.isEmpty()) {
      return Digests.sha256();
    }
    if (leaves.size() == 1) {
      return leaves.getFirst();
    }
    int split = Integer.highestOneBit(leaves.size() - 1);
    return node(root(leaves.subList(0, split)), root(leaves.subList(split, leaves.size())));
  }

  /// The audit path of leaf `index`: the sibling hashes from the leaf upwards.
  public static List<Hash> path(List<Hash> leaves, int index) {
    List<Hash> path = new ArrayList<>();
    collect(leaves, index, path);
    return List.copyOf(path);
  }

  /// The root that a leaf and its audit path give, for a tree of `count` leaves.
  ///
  /// @throws MalformedException if the path's length does not fit
  public static Hash rootFrom(Hash leaf, int index, int count, List<Hash> path) {
    if (index < 0 || index >= count) {
      throw new MalformedException("leaf " + index + " is not one of " + count);
    }
    if (count == 1) {
      if (!path.isEmpty()) {
        throw new MalformedException("the audit path is too long");
      }
      return leaf;
    }
    if (path.isEmpty()) {
      throw new MalformedException("the audit path is too short");
    }
    int split = Integer.highestOneBit(count - 1);
    Hash sibling = path.getLast();
    List<Hash> below = path.subList(0, path.size() - 1);
    return index < split
        ? node(rootFrom(leaf, index, split, below), sibling)
        : node(sibling, rootFrom(leaf, index - split, count - split, below));
  }

  private static void collect(List<Hash> leaves, int index, List<Hash> path) {
    if (leaves.size() == 1) {
      return;
    }
    int split = Integer.highestOneBit(leaves.size() - 1);
    List<Hash> left = leaves.subList(0, split);
    List<Hash> right = leaves.subList(split, leaves.size());
    if (index < split) {
      collect(left, index, path);
      path.add(root(right));
    } else {
      collect(right, index - split, path);
      path.add(root(left));
    }
  }

  static Hash node(Hash left, Hash right) {
    return Digests.sha256(NODE, left.bytes(), right.bytes());
  }
}
