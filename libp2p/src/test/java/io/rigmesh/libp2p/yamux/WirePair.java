package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.resource.ConnectionScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Two yamux sessions without a socket: the test moves the bytes, cut as it likes.
final class WirePair {
  final TrackedAllocator memory = new TrackedAllocator();
  final CountedScope scope = new CountedScope(Long.MAX_VALUE);
  final Side dialer = new Side(Direction.OUTBOUND, scope);
  final Side listener = new Side(Direction.INBOUND, scope);

  /// One end: its parent channel, its session, and what has been opened on it.
  final class Side {
    final EmbeddedChannel parent = new EmbeddedChannel();
    final List<StreamProbe> accepted = new ArrayList<>();
    final YamuxSession session;

    Side(Direction role, ConnectionScope scope) {
      parent.config().setAllocator(memory.allocator());
      session =
          YamuxSession.attach(
              parent,
              role,
              scope,
              stream -> accepted.add(new StreamProbe(stream)),
              YamuxConfig.defaults());
    }

    StreamProbe open() {
      DuplexChannel stream = session.open().join();
      return new StreamProbe(stream);
    }
  }

  /// Moves everything both ways until nothing moves.
  void settle() {
    settle(bytes -> bytes);
  }

  /// Moves everything, in pieces whose size the function gives.
  void settle(IntUnaryOperator pieceBytes) {
    boolean moved = true;
    while (moved) {
      moved = move(dialer, listener, pieceBytes);
      moved |= move(listener, dialer, pieceBytes);
    }
  }

  boolean move(Side from, Side to, IntUnaryOperator pieceBytes) {
    from.parent.runPendingTasks();
    boolean moved = false;
    for (ByteBuf bytes = from.parent.readOutbound();
        bytes != null;
        bytes = from.parent.readOutbound()) {
      moved = true;
      while (bytes.isReadable()) {
        int piece =
            Math.clamp(pieceBytes.applyAsInt(bytes.readableBytes()), 1, bytes.readableBytes());
        ByteBuf part = bytes.readRetainedSlice(piece);
        if (to.parent.isActive()) {
          to.parent.writeInbound(part);
        } else {
          part.release();
        }
      }
      bytes.release();
    }
    to.parent.runPendingTasks();
    return moved;
  }

  void close() {
    dialer.session.close();
    settle();
    listener.session.close();
    settle();
    dialer.parent.finishAndReleaseAll();
    listener.parent.finishAndReleaseAll();
  }
}
