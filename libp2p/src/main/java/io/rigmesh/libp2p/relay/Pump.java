package io.rigmesh.libp2p.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.rigmesh.libp2p.Stream;
import org.jspecify.annotations.Nullable;

/// Moves one direction's bytes from a stream to another: asks for more only while little of what it
/// has written is still on its way, so that a slow reader slows the far writer and nothing piles up
/// here. Runs on the first stream's event loop.
final class Pump extends ChannelInboundHandlerAdapter {
  private static final int IN_FLIGHT_BYTES_MAX = 64 * 1024;

  private final Stream from;
  private final Stream to;
  private final Runnable abort;
  private final boolean limited;
  private long left;
  private long inFlight;
  private boolean reading;
  private boolean over;
  private boolean ended;
  private @Nullable ChannelHandlerContext context;

  /// @param bytesMax what may pass; zero for without end
  /// @param abort ends the circuit at once
  Pump(Stream from, Stream to, long bytesMax, Runnable abort) {
    this.from = from;
    this.to = to;
    this.limited = bytesMax > 0;
    this.left = bytesMax;
    this.abort = abort;
  }

  void start() {
    Channel channel = from.channel();
    channel
        .eventLoop()
        .execute(() -> {
          if (channel.isActive()) {
            channel.pipeline().addLast(this);
          } else {
            abort.run();
          }
        });
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) {
    context = added;
    readMore();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    if (over) {
      bytes.release();
      return;
    }
    int count = bytes.readableBytes();
    if (limited && count > left) {
      over = true;
      ByteBuf allowed = bytes.readRetainedSlice((int) left);
      bytes.release();
      to.channel().writeAndFlush(allowed).addListener(written -> abort.run());
      return;
    }
    left -= count;
    inFlight += count;
    to.channel()
        .writeAndFlush(bytes)
        .addListener((ChannelFuture written) -> onLoop(() -> written(count, written.isSuccess())));
  }

  private void written(int count, boolean success) {
    inFlight -= count;
    if (success) {
      readMore();
    } else {
      abort.run();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    reading = false;
    readMore();
  }

  private void readMore() {
    ChannelHandlerContext here = context;
    if (here != null && !reading && !over && !ended && inFlight < IN_FLIGHT_BYTES_MAX) {
      reading = true;
      here.read();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      ended = true;
      to.closeWrite();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    over = true;
    abort.run();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (!ended) {
      over = true;
      abort.run();
    }
  }

  private void onLoop(Runnable action) {
    if (from.channel().eventLoop().inEventLoop()) {
      action.run();
    } else {
      from.channel().eventLoop().execute(action);
    }
  }
}
