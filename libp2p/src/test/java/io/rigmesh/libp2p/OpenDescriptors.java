package io.rigmesh.libp2p;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Counts this process's open sockets, so that a test can tell a leak.
public final class OpenDescriptors {
  private static final Path FOLDER = Path.of("/proc/self/fd");

  private OpenDescriptors() {}

  /// Sockets of this process; zero where the system does not show them.
  public static long sockets() {
    if (!Files.isDirectory(FOLDER)) {
      return 0;
    }
    try (Stream<Path> all = Files.list(FOLDER)) {
      return all.filter(OpenDescriptors::isSocket).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (NoSuchFileException closedSince) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
