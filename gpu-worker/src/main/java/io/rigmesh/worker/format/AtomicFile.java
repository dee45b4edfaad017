package io.rigmesh.worker.format;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Files that appear whole or not at all: written beside their place, forced to the disk, and moved
/// there in one step, so that neither a reader nor a crash meets half of one.
public final class AtomicFile {

  private AtomicFile() {}

  /// What puts the bytes into the file.
  @FunctionalInterface
  public interface Content {
    /// Writes from the channel's start.
    void write(FileChannel channel) throws IOException;
  }

  /// Writes bytes; see [#write(Path, Content)].
  public static void write(Path path, byte[] bytes) {
    write(path, channel -> writeAll(channel, ByteBuffer.wrap(bytes)));
  }

  /// Writes a file, in place of one that may be there.
  ///
  /// @throws UncheckedIOException when it cannot be written; nothing is left behind then
  public static void write(Path path, Content content) {
    Path directory = path.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IllegalArgumentException(path + " names no file");
    }
    try {
      Path partial =
          directory.resolve(
              path.getFileName()
                  + "."
                  + ProcessHandle.current().pid()
                  + "-"
                  + Thread.currentThread().threadId()
                  + ".partial");
      try {
        try (FileChannel channel =
            FileChannel.open(
                partial,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
          content.write(channel);
          channel.force(true);
        }
        Files.move(
            partial, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(partial);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + path + ": " + e.getMessage(), e);
    }
  }

  static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
