package io.rigmesh.libp2p.transport.quic;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicConnectionStats;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.handler.codec.quic.QuicStreamChannelConfig;
import io.netty.handler.codec.quic.QuicStreamType;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/// Keeps an idle connection open, as well as the routers' mappings on its way: when nothing has
/// come from the remote for a while, it opens a stream and ends it at once, which the remote must
/// acknowledge. (QUIC has PING frames for that; Netty offers no way to send them. Other libp2p
/// implementations do send them, so that this happens between two of these hosts only.) Used on one
/// event loop.
final class KeepAlive {
  private final QuicChannel connection;
  private final long idleNanos;
  private long received;
  private long receivedNanos = System.nanoTime();

  private KeepAlive(QuicChannel connection, Duration idle) {
    this.connection = connection;
    this.idleNanos = idle.toNanos();
  }

  /// @param idle how long nothing may come from the remote
  static void start(QuicChannel connection, Duration idle) {
    KeepAlive keepAlive = new KeepAlive(connection, idle);
    long periodNanos = keepAlive.idleNanos / 3;
    ScheduledFuture<?> timer =
        connection
            .eventLoop()
            .scheduleAtFixedRate(keepAlive::check, periodNanos, periodNanos, TimeUnit.NANOSECONDS);
    connection.closeFuture().addListener(closed -> timer.cancel(false));
  }

  private void check() {
    connection
        .collectStats()
        .addListener((Future<QuicConnectionStats> future) -> {
          if (future.isSuccess() && connection.isActive()) {
            check(future.getNow().recv());
          }
        });
  }

  private void check(long receivedNow) {
    long now = System.nanoTime();
    if (receivedNow != received) {
      received = receivedNow;
      receivedNanos = now;
    } else if (now - receivedNanos >= idleNanos
        && connection.peerAllowedStreams(QuicStreamType.BIDIRECTIONAL) > 0) {
      receivedNanos = now;
      connection.createStream(QuicStreamType.BIDIRECTIONAL, new Empty());
    }
  }

  /// Ends a stream without a byte, and closes it when the remote has ended it too.
  private static final class Empty extends ChannelInboundHandlerAdapter {
    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      ((QuicStreamChannelConfig) context.channel().config()).setAllowHalfClosure(true);
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      ((QuicStreamChannel) context.channel()).shutdownOutput();
      context.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
      ClosedStreams.forget((QuicStreamChannel) context.channel());
    }
  }
}
