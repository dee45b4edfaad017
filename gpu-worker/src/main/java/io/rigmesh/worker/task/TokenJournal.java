package io.rigmesh.worker.task;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The tokens that a generation has made so far, on disk as big-endian 32-bit integers. It survives
/// the death of its process; whoever reads it after a power cut checks it against the model.
final class TokenJournal implements AutoCloseable {
  private static final int TOKENS_MAX = 131_072;

  private final Path path;
  private final FileChannel channel;

  private TokenJournal(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  static TokenJournal open(Path path) {
    try {
      return new TokenJournal(
          path,
          FileChannel.open(
              path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot open " + path + ": " + e.getMessage(), e);
    }
  }

  /// All whole tokens in it.
  int[] tokens() {
    try {
      int count = (int) Math.min(TOKENS_MAX, channel.size() / Integer.BYTES);
      ByteBuffer bytes = ByteBuffer.allocate(count * Integer.BYTES);
      while (bytes.hasRemaining() && channel.read(bytes, bytes.position()) >= 0) {
        // Reads on until all is there.
      }
      int[] tokens = new int[count];
      bytes.flip().asIntBuffer().get(tokens);
      return tokens;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  /// Forgets all tokens but the first.
  void truncate(int count) {
    try {
      channel.truncate((long) count * Integer.BYTES);
      channel.position((long) count * Integer.BYTES);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + path + ": " + e.getMessage(), e);
    }
  }

  void append(int token) {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES).putInt(token).flip();
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + path + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close " + path + ": " + e.getMessage(), e);
    }
  }
}
