package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.rigmesh.libp2p.PeerMisbehaviourException;

/// Reads frames out of bytes cut anywhere. Payload is passed on as it arrives, so that no frame is
/// ever held here; all that is held is part of a header.
final class FrameReader {
  /// What frames mean. Data comes as one `data`, any number of `payload` whose bytes add up to its
  /// length, and one `dataEnd`.
  interface Sink {
    /// Whether to stop reading: what follows is dropped.
    boolean ended();

    /// A data frame begins.
    ///
    /// @param length unsigned, must be checked before its payload comes
    void data(int flags, int streamId, long length);

    /// A part of the payload; owned by the receiver.
    void payload(ByteBuf part);

    void dataEnd();

    void windowUpdate(int flags, int streamId, long delta);

    void ping(int flags, int value);

    void goAway(long code);
  }

  private final Sink sink;
  private final ByteBuf header = Unpooled.buffer(Frames.HEADER_BYTES, Frames.HEADER_BYTES);
  private long payloadLeft;

  FrameReader(Sink sink) {
    this.sink = sink;
  }

  /// Consumes the bytes; their reference stays the caller's.
  ///
  /// @throws PeerMisbehaviourException when a header breaks the specification
  void read(ByteBuf bytes) {
    while (!sink.ended() && bytes.isReadable()) {
      if (payloadLeft > 0) {
        readPayload(bytes);
      } else if (header.writerIndex() == 0 && bytes.readableBytes() >= Frames.HEADER_BYTES) {
        readHeader(bytes);
      } else {
        header.writeBytes(bytes, Math.min(bytes.readableBytes(), header.writableBytes()));
        if (!header.isWritable()) {
          readHeader(header);
          header.clear();
        }
      }
    }
  }

  private void readPayload(ByteBuf bytes) {
    int count = (int) Math.min(payloadLeft, bytes.readableBytes());
    payloadLeft -= count;
    sink.payload(bytes.readRetainedSlice(count));
    if (payloadLeft == 0) {
      sink.dataEnd();
    }
  }

  private void readHeader(ByteBuf bytes) {
    int version = bytes.readUnsignedByte();
    int type = bytes.readUnsignedByte();
    int flags = bytes.readUnsignedShort();
    int streamId = bytes.readInt();
    long length = bytes.readUnsignedInt();
    if (version != 0) {
      throw new PeerMisbehaviourException("yamux: a frame of version " + version + ", not 0");
    }
    boolean session = type == Frames.PING || type == Frames.GO_AWAY;
    if (type <= Frames.GO_AWAY && session != (streamId == 0)) {
      throw new PeerMisbehaviourException(
          "yamux: a frame of type "
              + type
              + " names stream "
              + Integer.toUnsignedString(streamId)
              + ": data and windows belong to a stream, pings and farewells to none");
    }
    switch (type) {
      case Frames.DATA -> {
        payloadLeft = length;
        sink.data(flags, streamId, length);
        if (length == 0) {
          sink.dataEnd();
        }
      }
      case Frames.WINDOW_UPDATE -> sink.windowUpdate(flags, streamId, length);
      case Frames.PING -> sink.ping(flags, (int) length);
      case Frames.GO_AWAY -> sink.goAway(length);
      default -> throw new PeerMisbehaviourException("yamux: a frame of unknown type " + type);
    }
  }
}
