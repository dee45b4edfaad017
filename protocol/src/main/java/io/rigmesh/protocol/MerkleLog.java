package io.rigmesh.protocol;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/// The root of a [MerkleTree] whose leaves are appended one by one. It keeps one hash for each bit
/// of the count, so a leaf and a root take time that grows with the logarithm of the count. Not
/// safe for use by several threads.
public final class MerkleLog {
  /// The roots of the full subtrees, the smallest and last first.
  private final Deque<Hash> full = new ArrayDeque<>();

  private long count;

  /// How many leaves there are.
  public long count() {
    return count;
  }

  /// Another log with the same leaves.
  public MerkleLog copy() {
    MerkleLog copy = new MerkleLog();
    copy.full.addAll(full);
    copy.count = count;
    return copy;
  }

  /// Appends a leaf hash, see [MerkleTree#leaf].
  public void append(Hash leaf) {
    Hash node = leaf;
    for (long bits = count; (bits & 1) == 1; bits >>>= 1) {
      node = MerkleTree.node(full.pop(), node);
    }
    full.push(node);
    count++;
  }

  /// The root over all leaves so far: [MerkleTree#root] of them.
  public Hash root() {
    if (full.isEmpty()) {
      return Digests.sha256();
    }
    Iterator<Hash> subtrees = full.iterator();
    Hash root = subtrees.next();
    while (subtrees.hasNext()) {
      root = MerkleTree.node(subtrees.next(), root);
    }
    return root;
  }
}
