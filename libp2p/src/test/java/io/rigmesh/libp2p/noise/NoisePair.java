package io.rigmesh.libp2p.noise;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.yamux.TrackedAllocator;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Two ends of a Noise channel without a socket: the test moves the bytes, cut as it likes.
final class NoisePair {
  final TrackedAllocator memory = new TrackedAllocator();
  final End initiator = new End();
  final End responder = new End();

  /// One end and what came out of it.
  final class End {
    final EmbeddedChannel channel = new EmbeddedChannel();
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    CompletableFuture<NoiseSession> session = new CompletableFuture<>();
    @Nullable Throwable failure;

    End() {
      channel.config().setAllocator(memory.allocator());
    }

    void upgrade(NoiseSecurity security, Direction role, @Nullable PeerId expected) {
      session = security.upgrade(channel, role, expected);
      session.thenAccept(established -> channel.pipeline().addLast(new Collector(this)));
    }

    void upgrade(NoiseHandshakeHandler handler) {
      channel.pipeline().addLast("noise", handler);
      session = handler.session();
      session.thenAccept(established -> channel.pipeline().addLast(new Collector(this)));
    }

    ByteBuf bytes(byte[] content) {
      return memory.allocator().heapBuffer(Math.max(1, content.length)).writeBytes(content);
    }
  }

  private static final class Collector extends ChannelInboundHandlerAdapter {
    private final End end;

    Collector(End end) {
      this.end = end;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      byte[] copy = new byte[bytes.readableBytes()];
      bytes.readBytes(copy);
      bytes.release();
      end.received.writeBytes(copy);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      end.failure = cause;
    }
  }

  void settle() {
    settle(bytes -> bytes);
  }

  void settle(IntUnaryOperator pieceBytes) {
    boolean moved = true;
    while (moved) {
      moved = move(initiator, responder, pieceBytes);
      moved |= move(responder, initiator, pieceBytes);
    }
  }

  boolean move(End from, End to, IntUnaryOperator pieceBytes) {
    boolean moved = false;
    from.channel.runPendingTasks();
    for (ByteBuf bytes = from.channel.readOutbound();
        bytes != null;
        bytes = from.channel.readOutbound()) {
      moved = true;
      while (bytes.isReadable()) {
        int piece =
            Math.clamp(pieceBytes.applyAsInt(bytes.readableBytes()), 1, bytes.readableBytes());
        ByteBuf part = bytes.readRetainedSlice(piece);
        if (to.channel.isActive()) {
          to.channel.writeInbound(part);
        } else {
          part.release();
        }
      }
      bytes.release();
    }
    return moved;
  }

  void close() {
    initiator.channel.finishAndReleaseAll();
    responder.channel.finishAndReleaseAll();
  }
}
