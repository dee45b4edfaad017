package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/// Writes frames to the connection: those of streams with something to send in turn, one frame
/// each, as long as the connection is writable; the others at once. What is written in one turn of
/// the event loop is flushed together at its end.
final class FrameWriter {
  /// What may be written past a connection that is not writable, which is what answers take while
  /// the remote does not read.
  private static final int UNREAD_BYTES_MAX = 128 * 1024;

  /// Frames up to this size are written as one buffer with their header.
  private static final int COPIED_BYTES_MAX = 1024;

  private final ChannelHandlerContext context;
  private final Runnable unread;

  /// Streams with something to send that their windows allow.
  private final ArrayDeque<YamuxStream> line = new ArrayDeque<>(4);

  private boolean writing;
  private boolean reading;
  private boolean flushDue;
  private boolean stopped;
  private int unreadBytes;

  /// @param unread called when the remote lets too many answers wait
  FrameWriter(ChannelHandlerContext context, Runnable unread) {
    this.context = context;
    this.unread = unread;
  }

  /// Frames are being read, and what is written meanwhile is flushed after them.
  void beginRead() {
    reading = true;
  }

  void endRead() {
    reading = false;
    flushNow();
  }

  /// The connection takes more, or no more.
  void writabilityChanged() {
    if (context.channel().isWritable()) {
      unreadBytes = 0;
      writeLine();
    }
  }

  /// Gives the stream its place in the line, and lets the line go.
  void schedule(YamuxStream stream) {
    enqueue(stream);
    writeLine();
  }

  private void enqueue(YamuxStream stream) {
    if (!stream.scheduled()) {
      stream.setScheduled(true);
      line.add(stream);
    }
  }

  private void writeLine() {
    // A write may complete a promise whose listener writes more: that waits for its turn.
    if (writing || stopped) {
      return;
    }
    writing = true;
    try {
      while (context.channel().isWritable()) {
        YamuxStream stream = line.poll();
        if (stream == null) {
          break;
        }
        stream.setScheduled(false);
        if (stream.writeTurn()) {
          enqueue(stream);
        }
      }
    } finally {
      writing = false;
    }
    flushSoon();
  }

  /// Writes one data frame from the head of a stream's outbound buffer, whose bytes stay there.
  ///
  /// @return how many bytes it carries; 0 when there are none to send
  int data(YamuxStream stream, ChannelOutboundBuffer out, int bytesMax) {
    List<ByteBuf> parts = new ArrayList<>(4);
    int length = head(out, bytesMax, parts);
    if (length == 0) {
      return 0;
    }
    boolean small = length <= COPIED_BYTES_MAX;
    ByteBuf frame = context.alloc().heapBuffer(Frames.HEADER_BYTES + (small ? length : 0));
    Frames.writeHeader(frame, Frames.DATA, stream.takeFlags(), stream.streamId(), length);
    if (small) {
      parts.forEach(frame::writeBytes);
    } else {
      // As one buffer, so that nothing can come between a header and its payload.
      CompositeByteBuf whole = context.alloc().compositeBuffer(parts.size() + 1);
      whole.addComponent(true, frame);
      parts.forEach(part -> whole.addComponent(true, part.retain()));
      frame = whole;
    }
    context.write(frame, context.voidPromise());
    return length;
  }

  /// Collects slices of the first flushed bytes and returns their number.
  private static int head(ChannelOutboundBuffer out, int bytesMax, List<ByteBuf> parts) {
    int[] count = {0};
    try {
      out.forEachFlushedMessage(message -> {
        ByteBuf bytes = (ByteBuf) message;
        int part = Math.min(bytes.readableBytes(), bytesMax - count[0]);
        if (part > 0) {
          parts.add(bytes.slice(bytes.readerIndex(), part));
          count[0] += part;
        }
        return count[0] < bytesMax;
      });
    } catch (Exception e) {
      throw new IllegalStateException("Reading an outbound buffer does not fail", e);
    }
    return count[0];
  }

  void windowUpdate(YamuxStream stream, int flags, int delta) {
    control(Frames.WINDOW_UPDATE, stream.takeFlags() | flags, stream.streamId(), delta);
  }

  void reset(int streamId) {
    control(Frames.WINDOW_UPDATE, Frames.RST, streamId, 0);
  }

  void ping(int flags, int value) {
    control(Frames.PING, flags, 0, value);
  }

  private void control(int type, int flags, int streamId, int length) {
    if (stopped) {
      return;
    }
    if (!context.channel().isWritable()) {
      unreadBytes += Frames.HEADER_BYTES;
      if (unreadBytes > UNREAD_BYTES_MAX) {
        unread.run();
        return;
      }
    }
    context.write(header(type, flags, streamId, length), context.voidPromise());
    flushSoon();
  }

  /// Writes the last frame there is; completes when it is sent.
  ChannelFuture goAway(int code) {
    return context.writeAndFlush(header(Frames.GO_AWAY, 0, 0, code));
  }

  private ByteBuf header(int type, int flags, int streamId, int length) {
    return Frames.writeHeader(
        context.alloc().heapBuffer(Frames.HEADER_BYTES), type, flags, streamId, length);
  }

  /// Nothing but a farewell is written from here on.
  void stop() {
    stopped = true;
    line.clear();
  }

  private void flushSoon() {
    if (!flushDue) {
      flushDue = true;
      if (!reading) {
        context.executor().execute(this::flushNow);
      }
    }
  }

  private void flushNow() {
    if (flushDue) {
      flushDue = false;
      context.flush();
    }
  }
}
