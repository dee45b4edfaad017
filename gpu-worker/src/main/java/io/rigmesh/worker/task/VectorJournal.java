package io.rigmesh.worker.task;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Hash;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// The vectors that an embedding has made so far, and their links, in two files of the work folder:
/// `vectors`, binary32 little-endian, row after row, and `links`. A row counts if the chain over it
/// and all before it gives its link, so that nothing torn or lost is taken for a result.
final class VectorJournal implements AutoCloseable {
  private final Path folder;
  private final int dimensions;
  private final FileChannel vectors;
  private final FileChannel links;

  private VectorJournal(Path folder, int dimensions, FileChannel vectors, FileChannel links) {
    this.folder = folder;
    this.dimensions = dimensions;
    this.vectors = vectors;
    this.links = links;
  }

  static VectorJournal open(Path folder, int dimensions) {
    try {
      FileChannel vectors = open(folder.resolve("vectors"));
      try {
        return new VectorJournal(folder, dimensions, vectors, open(folder.resolve("links")));
      } catch (IOException e) {
        vectors.close();
        throw e;
      }
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /// Adds the rows that are whole to a fresh chain and forgets the others.
  ///
  /// @param rowsMax how many rows there can be
  /// @return how many rows there are
  int resume(CommitmentChain chain, int rowsMax) {
    try {
      int rowBytes = dimensions * Float.BYTES;
      long stored = Math.min(vectors.size() / rowBytes, links.size() / Hash.BYTES);
      int rows = 0;
      CommitmentChain tried = CommitmentChain.resume(chain, List.of());
      while (rows < Math.min(stored, rowsMax)) {
        float[] vector = new float[dimensions];
        read(vectors, (long) rows * rowBytes, rowBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
            .get(vector);
        Hash link = tried.vector(rows, vector);
        byte[] kept = new byte[Hash.BYTES];
        read(links, (long) rows * Hash.BYTES, Hash.BYTES).get(kept);
        if (!link.equals(Hash.of(kept))) {
          break;
        }
        chain.vector(rows, vector);
        rows++;
      }
      vectors.truncate((long) rows * rowBytes).position((long) rows * rowBytes);
      links.truncate((long) rows * Hash.BYTES).position((long) rows * Hash.BYTES);
      return rows;
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  void append(List<float[]> rows, List<Hash> rowLinks) {
    ByteBuffer floats =
        ByteBuffer.allocate(rows.size() * dimensions * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float[] row : rows) {
      for (float value : row) {
        floats.putFloat(value);
      }
    }
    ByteBuffer hashes = ByteBuffer.allocate(rowLinks.size() * Hash.BYTES);
    rowLinks.forEach(link -> hashes.put(link.bytes()));
    try {
      write(vectors, floats.flip());
      write(links, hashes.flip());
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  /// All rows, as they lie in the file.
  MappedByteBuffer rows() {
    try {
      return vectors.map(FileChannel.MapMode.READ_ONLY, 0, vectors.size());
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  @Override
  public void close() {
    try (vectors;
        links) {
      // Both are closed, whatever one of them says.
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  private static ByteBuffer read(FileChannel channel, long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw new IOException("the file became shorter while it was read");
      }
    }
    return bytes.flip();
  }

  private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static UncheckedIOException failure(Path folder, IOException e) {
    return new UncheckedIOException("cannot keep vectors in " + folder + ": " + e.getMessage(), e);
  }
}
