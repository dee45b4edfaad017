package io.rigmesh.node.blob;

import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.RefusalCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.List;

/// A blob whose chunks come one by one and in any order, each checked before it is written. What is
/// there already is found again by its hashes, so that nothing needs to be trusted after a crash.
/// Safe for use by several threads.
public final class IncomingBlob implements AutoCloseable {
  /// How the file of an unfinished blob ends.
  static final String SUFFIX = ".fetch";

  private final FileChannel file;
  private final Hash root;
  private final long sizeBytes;
  private final List<Hash> leaves;
  private final Finish finish;
  private final BitSet there = new BitSet();

  private IncomingBlob(
      FileChannel file, Hash root, long sizeBytes, List<Hash> leaves, Finish finish) {
    this.file = file;
    this.root = root;
    this.sizeBytes = sizeBytes;
    this.leaves = List.copyOf(leaves);
    this.finish = finish;
  }

  /// Moves the whole file to its name.
  @FunctionalInterface
  interface Finish {
    void run() throws IOException;
  }

  static IncomingBlob open(Path path, Hash root, long sizeBytes, List<Hash> leaves, Finish finish)
      throws IOException {
    FileChannel file =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      IncomingBlob blob = new IncomingBlob(file, root, sizeBytes, leaves, finish);
      if (file.size() > sizeBytes) {
        file.truncate(0);
      }
      blob.look();
      return blob;
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  /// Finds the chunks that an earlier attempt has written.
  private void look() throws IOException {
    long written = file.size();
    for (int index = 0; (long) index * BlobRoot.CHUNK_BYTES < written; index++) {
      ByteBuffer chunk = ByteBuffer.allocate(length(index));
      long at = (long) index * BlobRoot.CHUNK_BYTES;
      while (chunk.hasRemaining() && file.read(chunk, at + chunk.position()) >= 0) {}
      if (!chunk.hasRemaining() && MerkleTree.leaf(chunk.array()).equals(leaves.get(index))) {
        there.set(index);
      }
    }
  }

  /// How many bytes a chunk has.
  public int length(int index) {
    return (int) Math.min(BlobRoot.CHUNK_BYTES, sizeBytes - (long) index * BlobRoot.CHUNK_BYTES);
  }

  /// The first chunk from `from` on that is not here, or -1.
  public synchronized int nextMissing(int from) {
    int next = there.nextClearBit(from);
    return next < leaves.size() ? next : -1;
  }

  /// How many chunks are here.
  public synchronized int count() {
    return there.cardinality();
  }

  /// How many chunks it has.
  public int chunks() {
    return leaves.size();
  }

  /// Writes a chunk.
  ///
  /// @throws BlobRefusedException if it is not the chunk that it should be
  /// @throws BlobException if it cannot be written
  public void write(int index, byte[] bytes) {
    if (bytes.length != length(index) || !MerkleTree.leaf(bytes).equals(leaves.get(index))) {
      throw new BlobRefusedException(
          RefusalCode.MALFORMED,
          "chunk " + index + " of the blob " + root + " has another hash than its tree says");
    }
    try {
      ByteBuffer chunk = ByteBuffer.wrap(bytes);
      long at = (long) index * BlobRoot.CHUNK_BYTES;
      while (chunk.hasRemaining()) {
        file.write(chunk, at + chunk.position());
      }
    } catch (IOException e) {
      throw new BlobException(
          "A chunk of the blob " + root + " cannot be written; check the disk.", e);
    }
    synchronized (this) {
      there.set(index);
    }
  }

  /// Keeps the blob under its name, once every chunk is here.
  public void keep() {
    if (nextMissing(0) >= 0) {
      throw new IllegalStateException("the blob " + root + " is not whole");
    }
    try {
      file.force(true);
      finish.run();
    } catch (IOException e) {
      throw new BlobException("The blob " + root + " cannot be kept; check the disk.", e);
    }
  }

  /// Lets go of the file; an unfinished one stays for a later attempt.
  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new BlobException("The file of the blob " + root + " cannot be closed.", e);
    }
  }
}
