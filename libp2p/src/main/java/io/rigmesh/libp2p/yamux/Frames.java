package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;

/// The numbers of yamux's wire form: twelve bytes of header (version, type, flags, stream id,
/// length; big-endian), then, for data alone, so many bytes as the length says.
final class Frames {
  static final int HEADER_BYTES = 12;

  static final int DATA = 0;
  static final int WINDOW_UPDATE = 1;
  static final int PING = 2;
  static final int GO_AWAY = 3;

  static final int SYN = 1;
  static final int ACK = 2;
  static final int FIN = 4;
  static final int RST = 8;

  static final int NORMAL = 0;
  static final int PROTOCOL_ERROR = 1;
  static final int INTERNAL_ERROR = 2;

  /// What either side may send on a new stream before the other has said more.
  static final int INITIAL_WINDOW_BYTES = 256 * 1024;

  private Frames() {}

  static ByteBuf writeHeader(ByteBuf out, int type, int flags, int streamId, int length) {
    return out.writeShort(type).writeShort(flags).writeInt(streamId).writeInt(length);
  }
}
