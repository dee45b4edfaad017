package io.rigmesh.node.rest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/// The secret that opens the interface. It never prints itself.
public final class BearerToken {
  private static final int LENGTH_MIN = 32;
  private static final int FILE_BYTES_MAX = 4_096;
  private static final String SCHEME = "Bearer ";

  private final byte[] token;

  private BearerToken(byte[] token) {
    this.token = token;
  }

  /// Takes a token's text.
  ///
  /// @throws IllegalArgumentException if it is too short to be a secret
  public static BearerToken of(String text) {
    String stripped = text.strip();
    if (stripped.length() < LENGTH_MIN) {
      throw new IllegalArgumentException(
          "the REST token has fewer than "
              + LENGTH_MIN
              + " characters; delete its file and start again, and a new one is made");
    }
    return new BearerToken(stripped.getBytes(StandardCharsets.UTF_8));
  }

  /// Reads a token's file.
  ///
  /// @throws RestException if it cannot be read or holds no token
  public static BearerToken read(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new RestException(
            "the token file " + file + " is no token; delete it, and a new one is made", null);
      }
      return of(Files.readString(file));
    } catch (IOException | IllegalArgumentException e) {
      throw new RestException("the token file " + file + " cannot be used: " + e.getMessage(), e);
    }
  }

  /// True if an Authorization header carries this token. Takes the same time wherever a wrong token
  /// differs.
  boolean opens(@Nullable String authorization) {
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return false;
    }
    byte[] given =
        authorization.substring(SCHEME.length()).strip().getBytes(StandardCharsets.UTF_8);
    return MessageDigest.isEqual(token, given);
  }

  @Override
  public String toString() {
    return "BearerToken[hidden]";
  }
}
