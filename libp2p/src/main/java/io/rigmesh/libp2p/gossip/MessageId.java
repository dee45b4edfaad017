package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import java.util.HexFormat;

/// What names a message: its author's peer id, then its sequence number (pubsub, "Message
/// Identification").
record MessageId(ByteString bytes) {
  /// Ids of more bytes are not origin-stamped ids; what holds one is refused.
  static final int BYTES_MAX = 128;

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes.toByteArray());
  }
}
