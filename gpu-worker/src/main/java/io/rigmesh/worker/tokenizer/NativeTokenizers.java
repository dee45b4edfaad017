package io.rigmesh.worker.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/// The native tokenizers library: unpacked from the class path into a directory, once, and loaded
/// from there.
///
/// The binding's own loader is passed by: it asks the machine for CUDA and may download another
/// build. Loading runs native code, so the JVM wants `--enable-native-access`.
public final class NativeTokenizers {

  private static final String RESOURCES = "native/lib/";
  private static @Nullable Path loadedFrom;

  private NativeTokenizers() {}

  /// Loads the library from a directory of the caller's choice, for instance the node's home. It is
  /// unpacked there first unless the very same bytes already are; 14 MB. Does nothing when the
  /// library is already loaded, from wherever.
  ///
  /// @param directory is made if need be, for this user only
  /// @throws UncheckedIOException when it cannot be unpacked
  /// @throws UnsupportedOperationException when there is no build of the library for this machine
  @SuppressWarnings("restricted") // Loading native code is what this class is for.
  public static synchronized void unpackInto(Path directory) {
    if (loadedFrom != null) {
      return;
    }
    Path library = unpack(directory.toAbsolutePath());
    System.load(library.toString());
    loadedFrom = library;
  }

  /// The loaded bindings. A caller that has not chosen a directory gets the user's cache directory.
  static TokenizersLibrary library() {
    synchronized (NativeTokenizers.class) {
      if (loadedFrom == null) {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base =
            cache == null || cache.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(cache);
        unpackInto(base.resolve("rigmesh").resolve("native"));
      }
    }
    return TokenizersLibrary.LIB;
  }

  private static Path unpack(Path directory) {
    String platform = platform();
    String name = System.mapLibraryName("tokenizers");
    String resource = RESOURCES + platform + "/cpu/" + name;
    try {
      byte[] bytes = resource(resource);
      if (bytes == null) {
        throw new UnsupportedOperationException(
            "the tokenizers library has no build for "
                + platform
                + "; run on Linux (x86_64, aarch64) or macOS (aarch64)");
      }
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Path library = directory.resolve(version() + "-" + name);
      if (Files.isRegularFile(library)
          && digest(Files.readAllBytes(library)).equals(digest(bytes))) {
        return library;
      }
      // Temporary files are private to their user, and the move is atomic: no other process meets
      // half a library.
      Path partial = Files.createTempFile(directory, name, ".partial");
      try {
        Files.write(partial, bytes);
        Files.move(
            partial, library, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(partial);
      }
      return library;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot unpack the tokenizers library into "
              + directory
              + " ("
              + e.getMessage()
              + "); choose a directory that can be written",
          e);
    }
  }

  private static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch");
    String os = system.startsWith("linux") ? "linux" : system.startsWith("mac") ? "osx" : system;
    return os + "-" + (machine.equals("amd64") ? "x86_64" : machine);
  }

  private static String version() throws IOException {
    Properties properties = new Properties();
    byte[] bytes = resource(RESOURCES + "tokenizers.properties");
    if (bytes != null) {
      properties.load(new java.io.ByteArrayInputStream(bytes));
    }
    return properties.getProperty("version", "unversioned");
  }

  private static byte @Nullable [] resource(String name) throws IOException {
    try (InputStream in = TokenizersLibrary.class.getClassLoader().getResourceAsStream(name)) {
      return in == null ? null : in.readAllBytes();
    }
  }

  private static String digest(byte[] bytes) {
    try {
      return java.util.HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
