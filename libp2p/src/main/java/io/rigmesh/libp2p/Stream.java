package io.rigmesh.libp2p;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/// A two-way byte stream to a peer that speaks one protocol. It is a Netty channel: its writability
/// carries the remote's backpressure, its `autoRead` is off until someone asks for bytes.
/// Thread-safe.
public final class Stream {
  /// How long a closed stream waits for the remote's end before it is reset.
  static final long CLOSE_SECONDS_MAX = 10;

  private final Connection connection;
  private final DuplexChannel channel;
  private final ProtocolId protocol;
  private final Direction direction;
  private final Runnable reset;

  /// @param reset what ends both directions of the channel at once
  public Stream(
      Connection connection,
      DuplexChannel channel,
      ProtocolId protocol,
      Direction direction,
      Runnable reset) {
    this.connection = connection;
    this.channel = channel;
    this.protocol = protocol;
    this.direction = direction;
    this.reset = reset;
  }

  public Connection connection() {
    return connection;
  }

  public PeerId peer() {
    return connection.peer();
  }

  public ProtocolId protocol() {
    return protocol;
  }

  public Direction direction() {
    return direction;
  }

  /// The channel to put handlers into: inbound and outbound messages are `ByteBuf`s of the stream's
  /// bytes; [ChannelInputShutdownEvent] says that the remote has ended its half, and
  /// [StreamResetException] that it has reset the stream.
  public DuplexChannel channel() {
    return channel;
  }

  /// A way to read and write from a virtual thread; call once, instead of adding handlers.
  public BlockingStream blocking() {
    return BlockingStream.attach(this);
  }

  /// Ends this side's half after everything written so far; the remote may go on sending.
  public CompletableFuture<Void> closeWrite() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    channel
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(written -> {
          if (written.isSuccess()) {
            channel.shutdownOutput().addListener(ended -> complete(done, (ChannelFuture) ended));
          } else {
            done.completeExceptionally(written.cause());
          }
        });
    return done;
  }

  /// Ends this side's half and drops what the remote still sends; resets the stream when the remote
  /// does not end its half within ten seconds. Completes when the stream is gone.
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    channel.closeFuture().addListener(closed -> done.complete(null));
    try {
      channel.eventLoop().execute(this::closeOnEventLoop);
    } catch (RejectedExecutionException e) {
      // The event loops have ended with the host, and every stream with them.
      done.complete(null);
    }
    return done;
  }

  private void closeOnEventLoop() {
    if (!channel.isActive()) {
      return;
    }
    Future<?> limit =
        channel.eventLoop().schedule(this::reset, CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
    channel.closeFuture().addListener(closed -> limit.cancel(false));
    // First, so that no handler keeps what nobody will read.
    channel.pipeline().addFirst(new Discard());
    // Closing the channel would drop what is still to be sent: it waits for both ends.
    closeWrite().whenComplete((ended, failure) -> closeWhenEnded());
    channel.config().setAutoRead(true);
  }

  private void closeWhenEnded() {
    if (channel.isInputShutdown() && channel.isOutputShutdown()) {
      channel.close();
    }
  }

  /// Ends both directions at once; what is in flight is lost. The remote sees a reset.
  public void reset() {
    try {
      reset.run();
    } catch (RejectedExecutionException e) {
      // The event loops have ended with the host, and every stream with them.
    }
  }

  private static void complete(CompletableFuture<Void> done, ChannelFuture ended) {
    if (ended.isSuccess()) {
      done.complete(null);
    } else {
      done.completeExceptionally(ended.cause());
    }
  }

  /// Drops what arrives after this side has closed, and closes the channel when both sides have.
  private final class Discard extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        closeWhenEnded();
      }
      context.fireUserEventTriggered(event);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  @Override
  public String toString() {
    return protocol + " " + direction + " " + peer();
  }
}
