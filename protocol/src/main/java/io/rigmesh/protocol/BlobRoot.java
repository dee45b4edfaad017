package io.rigmesh.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/// Names bytes by their content: the Merkle root over chunks of 1 MiB, so that any chunk can be
/// checked alone.
public final class BlobRoot {
  /// Bytes per chunk, but for the last.
  public static final int CHUNK_BYTES = 1 << 20;

  private BlobRoot() {}

  /// The root of bytes in memory.
  public static Hash of(byte[] bytes) {
    List<Hash> leaves = new ArrayList<>();
    for (int at = 0; at < bytes.length; at += CHUNK_BYTES) {
      int end = Math.min(bytes.length, at + CHUNK_BYTES);
      leaves.add(MerkleTree.leaf(java.util.Arrays.copyOfRange(bytes, at, end)));
    }
    return MerkleTree.root(leaves);
  }

  /// The root of a stream, read to its end in chunks.
  public static Hash of(InputStream in) throws IOException {
    List<Hash> leaves = new ArrayList<>();
    for (byte[] chunk = in.readNBytes(CHUNK_BYTES);
        chunk.length > 0;
        chunk = in.readNBytes(CHUNK_BYTES)) {
      leaves.add(MerkleTree.leaf(chunk));
    }
    return MerkleTree.root(leaves);
  }
}
