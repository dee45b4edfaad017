package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// What a stream has received and the application has not yet asked for. The window bounds its
/// bytes; small pieces are copied together, so that the memory held stays near those bytes even
/// when they come one by one, each in a large buffer of its own.
final class ReceiveQueue {
  private static final int COPY_BUFFER_BYTES = 16 * 1024;

  private final ByteBufAllocator allocator;

  /// Null while empty: most streams never need it.
  private @Nullable ArrayDeque<ByteBuf> buffers;

  /// The last buffer, when it is this queue's own and has room.
  private @Nullable ByteBuf tail;

  private int bytes;

  ReceiveQueue(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /// How many bytes wait.
  int bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return buffers == null;
  }

  void add(ByteBuf part) {
    if (buffers == null) {
      buffers = new ArrayDeque<>(4);
    }
    bytes += part.readableBytes();
    // The part keeps the whole buffer alive that it is cut from.
    if (part.readableBytes() >= COPY_BUFFER_BYTES) {
      tail = null;
      buffers.add(part);
      return;
    }
    try {
      copy(buffers, part);
    } finally {
      part.release();
    }
  }

  private void copy(ArrayDeque<ByteBuf> into, ByteBuf part) {
    while (part.isReadable()) {
      ByteBuf room = tail;
      if (room == null || !room.isWritable(1)) {
        // Fixed at twice what comes, up to a limit: a short message takes little.
        int capacity = Math.clamp(2L * part.readableBytes(), 256, COPY_BUFFER_BYTES);
        if (room != null) {
          capacity = COPY_BUFFER_BYTES;
        }
        room = allocator.heapBuffer(capacity, capacity);
        into.add(room);
        tail = room;
      }
      room.writeBytes(part, Math.min(part.readableBytes(), room.writableBytes()));
    }
  }

  /// The next buffer, owned by the caller; null when empty.
  @Nullable ByteBuf poll() {
    if (buffers == null) {
      return null;
    }
    ByteBuf next = buffers.remove();
    bytes -= next.readableBytes();
    if (buffers.isEmpty()) {
      buffers = null;
      tail = null;
    }
    return next;
  }

  void clear() {
    for (ByteBuf next = poll(); next != null; next = poll()) {
      next.release();
    }
  }
}
