package io.rigmesh.libp2p.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.multiformats.Varint;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The lines of multistream-select: a varint length that counts the line feed, text, line feed.
final class Lines {
  static final String HEADER = "/multistream/1.0.0";
  static final String NOT_AVAILABLE = "na";

  /// The longest line with its line feed.
  static final int BYTES_MAX = 1024;

  private Lines() {}

  static ByteBuf encode(ByteBufAllocator allocator, String... lines) {
    ByteBuf out = allocator.buffer(64);
    for (String line : lines) {
      byte[] text = line.getBytes(StandardCharsets.UTF_8);
      out.writeBytes(Varint.encode(text.length + 1L)).writeBytes(text).writeByte('\n');
    }
    return out;
  }

  /// Takes one line off the buffer; null when it is not complete yet.
  ///
  /// @throws PeerMisbehaviourException when the line is too long, empty, or lacks its line feed
  static @Nullable String take(ByteBuf in) {
    int at = in.readerIndex();
    int length = 0;
    for (int i = 0; ; i++) {
      if (at == in.writerIndex()) {
        return null;
      }
      int b = in.getByte(at++);
      length |= (b & 0x7f) << (7 * i);
      if (b >= 0) {
        break;
      }
      if (i == 1) {
        throw new PeerMisbehaviourException(
            "multistream-select: a line's length is over two bytes");
      }
    }
    if (length == 0 || length > BYTES_MAX) {
      throw new PeerMisbehaviourException(
          "multistream-select: a line of " + length + " bytes is not within 1 to " + BYTES_MAX);
    }
    if (in.writerIndex() - at < length) {
      return null;
    }
    if (in.getByte(at + length - 1) != '\n') {
      throw new PeerMisbehaviourException("multistream-select: a line does not end in a line feed");
    }
    String line = in.toString(at, length - 1, StandardCharsets.UTF_8);
    in.readerIndex(at + length);
    return line;
  }
}
