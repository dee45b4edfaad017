package io.rigmesh.libp2p.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Collects what happens on one stream, for tests that wait for it.
public final class StreamProbe extends ChannelInboundHandlerAdapter {
  private final DuplexChannel stream;
  private final ByteArrayOutputStream received = new ByteArrayOutputStream();
  private final CompletableFuture<byte[]> ended = new CompletableFuture<>();
  private final CompletableFuture<Throwable> failed = new CompletableFuture<>();
  private final CompletableFuture<Void> inactive = new CompletableFuture<>();
  private final CompletableFuture<Void> some = new CompletableFuture<>();

  private StreamProbe(DuplexChannel stream) {
    this.stream = stream;
  }

  public static StreamProbe attach(DuplexChannel stream) {
    StreamProbe probe = new StreamProbe(stream);
    stream.pipeline().addLast(probe);
    stream.closeFuture().addListener(closed -> probe.inactive.complete(null));
    return probe;
  }

  public StreamProbe readAll() {
    stream.config().setAutoRead(true);
    return this;
  }

  public StreamProbe write(byte[] bytes) {
    stream.writeAndFlush(Unpooled.copiedBuffer(bytes));
    return this;
  }

  public DuplexChannel stream() {
    return stream;
  }

  /// The remote's bytes up to its end.
  ///
  /// @throws AssertionError as soon as the stream is gone without one
  public byte[] awaitEnd() throws Exception {
    CompletableFuture.anyOf(ended, failed, inactive).get(60, TimeUnit.SECONDS);
    if (!ended.isDone()) {
      throw new AssertionError("the stream was lost before its end", failed.getNow(null));
    }
    return ended.join();
  }

  public Throwable awaitFailure() throws Exception {
    return failed.get(60, TimeUnit.SECONDS);
  }

  public void awaitInactive() throws Exception {
    inactive.get(60, TimeUnit.SECONDS);
  }

  public void awaitSome() throws Exception {
    some.get(60, TimeUnit.SECONDS);
  }

  public boolean hasEnded() {
    return ended.isDone();
  }

  @Override
  public synchronized void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf bytes = (ByteBuf) message;
    byte[] copy = new byte[bytes.readableBytes()];
    bytes.readBytes(copy);
    bytes.release();
    received.writeBytes(copy);
    some.complete(null);
  }

  public synchronized byte[] received() {
    return received.toByteArray();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      ended.complete(received());
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    failed.complete(cause);
  }
}
