package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;

/// The rules for a topic's name: 1 to 256 bytes of UTF-8.
final class TopicName {
  static final int BYTES_MAX = 256;

  private TopicName() {}

  /// Hands the name back.
  ///
  /// @throws IllegalArgumentException when it is empty or too long
  static String require(String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > BYTES_MAX) {
      throw new IllegalArgumentException(
          "A topic's name has 1 to " + BYTES_MAX + " bytes of UTF-8, not " + bytes);
    }
    return name;
  }

  /// Whether bytes from outside are a name. Broken UTF-8 is not: two different broken names would
  /// read as the same text.
  static boolean isValid(ByteString name) {
    return !name.isEmpty() && name.size() <= BYTES_MAX && name.isValidUtf8();
  }
}
