package io.rigmesh.libp2p;

import java.nio.charset.StandardCharsets;

/// The name of a protocol spoken on a stream, such as `/ipfs/ping/1.0.0`.
///
/// @param name starts with a slash, at most [#BYTES_MAX] bytes of UTF-8, no line feed
public record ProtocolId(String name) {
  /// The longest name that multistream-select carries here, without its line feed.
  public static final int BYTES_MAX = 1023;

  public ProtocolId {
    if (!name.startsWith("/")
        || name.indexOf('\n') >= 0
        || name.getBytes(StandardCharsets.UTF_8).length > BYTES_MAX) {
      throw new IllegalArgumentException(
          "A protocol id starts with '/', has no line feed and at most "
              + BYTES_MAX
              + " bytes: "
              + name.substring(0, Math.min(80, name.length())));
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
