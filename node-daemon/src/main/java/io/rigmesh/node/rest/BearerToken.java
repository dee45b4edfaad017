package io.rigmesh.node.rest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/// The secret that opens the interface. It never prints itself.
public final class BearerToken {
  private static final int LENGTH_MIN = 32;
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
