package io.rigmesh.node.rest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;

/// The file of the interface's token: made once with mode 0600, refused if others may read it.
public final class RestToken {
  private static final int BYTES = 32;
  private static final int FILE_BYTES_MAX = 4_096;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private RestToken() {}

  /// Reads the token, or makes one where there is none.
  ///
  /// @throws RestException if the file cannot be used, saying what would help
  public static BearerToken readOrMake(Path file) {
    try {
      if (!Files.exists(file)) {
        make(file);
      }
      refuseIfOpen(file);
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new RestException("the token file " + file + " is no token; delete it", null);
      }
      return BearerToken.of(Files.readString(file));
    } catch (IOException | IllegalArgumentException e) {
      throw new RestException("the token file " + file + " cannot be used: " + e.getMessage(), e);
    }
  }

  private static void make(Path file) throws IOException {
    byte[] secret = new byte[BYTES];
    new SecureRandom().nextBytes(secret);
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    try {
      Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    } catch (FileAlreadyExistsException _) {
      // Another process made it a moment ago; that one counts.
      return;
    }
    Files.write(
        file,
        (HexFormat.of().formatHex(secret) + "\n").getBytes(StandardCharsets.US_ASCII),
        StandardOpenOption.WRITE);
  }

  private static void refuseIfOpen(Path file) throws IOException {
    Set<PosixFilePermission> open = Files.getPosixFilePermissions(file);
    if (!OWNER_ONLY.containsAll(open)) {
      throw new RestException(
          "the token file "
              + file
              + " may be read by others ("
              + PosixFilePermissions.toString(open)
              + "); run chmod 600 on it, or delete it to get a new token",
          null);
    }
  }
}
