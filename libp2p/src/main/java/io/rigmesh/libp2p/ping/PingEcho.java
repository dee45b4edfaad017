package io.rigmesh.libp2p.ping;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.ScheduledFuture;
import io.rigmesh.libp2p.Stream;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Sends each payload of a remote back, on the stream's event loop: there the end of one stream is
/// seen before the next one comes, so that a peer that pings with a stream for each ping is never
/// taken for one that has many open, however busy this machine is.
final class PingEcho extends ChannelInboundHandlerAdapter {
  private final Stream stream;
  private final byte[] payload = new byte[PingService.PAYLOAD_BYTES];
  private int filled;
  private @Nullable ScheduledFuture<?> limit;

  private PingEcho(Stream stream) {
    this.stream = stream;
  }

  /// Serves an inbound stream until its end; call on its event loop.
  static void serve(Stream stream) {
    stream.channel().pipeline().addLast(new PingEcho(stream));
    stream.channel().config().setAutoRead(true);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    awaitPayload(context);
  }

  /// From now on the next payload must be whole in time.
  private void awaitPayload(ChannelHandlerContext context) {
    stopWaiting();
    limit =
        context
            .executor()
            .schedule(stream::reset, PingService.TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void stopWaiting() {
    if (limit != null) {
      limit.cancel(false);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    try {
      while (bytes.isReadable()) {
        int count = Math.min(payload.length - filled, bytes.readableBytes());
        bytes.readBytes(payload, filled, count);
        filled += count;
        if (filled == payload.length) {
          filled = 0;
          context.writeAndFlush(context.alloc().buffer(payload.length).writeBytes(payload));
          awaitPayload(context);
        }
      }
    } finally {
      bytes.release();
    }
    readWhileWritable(context);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    readWhileWritable(context);
    context.fireChannelWritabilityChanged();
  }

  /// A remote that does not read its echoes is read no further.
  private static void readWhileWritable(ChannelHandlerContext context) {
    context.channel().config().setAutoRead(context.channel().isWritable());
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      stopWaiting();
      if (filled == 0) {
        stream.close();
      } else {
        stream.reset();
      }
    } else {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stopWaiting();
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    stopWaiting();
  }
}
