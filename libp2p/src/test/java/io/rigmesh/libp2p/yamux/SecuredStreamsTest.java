package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceManager;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SecuredStreamsTest {
  private final ConnectionScope scope =
      ResourceManager.unlimited()
          .openConnection(Direction.OUTBOUND, Multiaddr.of("/ip4/127.0.0.1/tcp/1"));

  @Test
  void everyByteArrivesInOrderAndTheEndAfterThem() throws Exception {
    CompletableFuture<byte[]> digest = new CompletableFuture<>();
    try (SecuredPair pair =
        new SecuredPair(
            scope,
            stream -> {},
            stream -> {
              stream.pipeline().addLast(new Digest(digest));
              stream.config().setAutoRead(true);
            })) {
      DuplexChannel stream = pair.dialer.open().get(60, TimeUnit.SECONDS);
      MessageDigest sent = MessageDigest.getInstance("SHA-256");
      Random random = new Random(1);
      for (int i = 0; i < 100; i++) {
        byte[] bytes = new byte[random.nextInt(120_000)];
        random.nextBytes(bytes);
        sent.update(bytes);
        stream.writeAndFlush(Unpooled.wrappedBuffer(bytes));
      }
      stream.shutdownOutput().get(60, TimeUnit.SECONDS);
      assertThat(digest.get(60, TimeUnit.SECONDS)).isEqualTo(sent.digest());
    }
  }

  @Test
  void aReaderThatStopsHoldsUpNothingButItsStream() throws Exception {
    List<DuplexChannel> accepted = new CopyOnWriteArrayList<>();
    CompletableFuture<byte[]> digest = new CompletableFuture<>();
    CountedScope counted = new CountedScope(Long.MAX_VALUE);
    try (SecuredPair pair =
        new SecuredPair(
            counted,
            stream -> {},
            stream -> {
              accepted.add(stream);
              if (accepted.size() == 2) {
                stream.pipeline().addLast(new Digest(digest));
                stream.config().setAutoRead(true);
              }
            })) {
      DuplexChannel stalled = pair.dialer.open().get(60, TimeUnit.SECONDS);
      ChannelFuture held = stalled.writeAndFlush(Unpooled.wrappedBuffer(new byte[2 * 1024 * 1024]));
      DuplexChannel reading = pair.dialer.open().get(60, TimeUnit.SECONDS);
      byte[] bytes = new byte[1_000_000];
      new Random(2).nextBytes(bytes);
      reading.writeAndFlush(Unpooled.wrappedBuffer(bytes));
      reading.shutdownOutput();
      assertThat(digest.get(60, TimeUnit.SECONDS))
          .isEqualTo(MessageDigest.getInstance("SHA-256").digest(bytes));
      assertThat(held.isDone()).isFalse();
      assertThat(stalled.isWritable()).isFalse();
      // What waits at the reader is one window, however much was written.
      assertThat(counted.bytes()).isLessThanOrEqualTo(1024L * 1024);
      accepted.getFirst().pipeline().addLast(new Discard());
      accepted.getFirst().config().setAutoRead(true);
      assertThat(held.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(held.isSuccess()).isTrue();
    }
    assertThat(counted.bytes()).isZero();
  }

  @Test
  void manyStreamsAtOnceEachGetTheirAnswer() throws Exception {
    try (SecuredPair pair = new SecuredPair(scope, stream -> {}, SecuredStreamsTest::echo)) {
      List<CompletableFuture<byte[]>> answers = new ArrayList<>();
      List<byte[]> expected = new ArrayList<>();
      Random random = new Random(3);
      for (int i = 0; i < 100; i++) {
        byte[] bytes = new byte[1 + random.nextInt(20_000)];
        random.nextBytes(bytes);
        expected.add(MessageDigest.getInstance("SHA-256").digest(bytes));
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        answers.add(answer);
        DuplexChannel stream = pair.dialer.open().get(60, TimeUnit.SECONDS);
        stream.pipeline().addLast(new Digest(answer));
        stream.config().setAutoRead(true);
        stream.writeAndFlush(Unpooled.wrappedBuffer(bytes));
        stream.shutdownOutput();
      }
      for (int i = 0; i < answers.size(); i++) {
        assertThat(answers.get(i).get(60, TimeUnit.SECONDS)).isEqualTo(expected.get(i));
      }
    }
  }

  @Test
  void aRequestAndItsEndLeaveInOneFlushAndSoDoesTheAnswer() throws Exception {
    try (SecuredPair pair = new SecuredPair(scope, stream -> {}, SecuredStreamsTest::echo)) {
      // An exchange before, so that the connection has nothing else to say.
      CompletableFuture<byte[]> before = new CompletableFuture<>();
      DuplexChannel first = pair.dialer.open().get(60, TimeUnit.SECONDS);
      first.pipeline().addLast(new Digest(before));
      first.config().setAutoRead(true);
      first.writeAndFlush(Unpooled.wrappedBuffer(new byte[32]));
      first.shutdownOutput();
      before.get(60, TimeUnit.SECONDS);
      AtomicInteger flushes = new AtomicInteger();
      AtomicInteger reads = new AtomicInteger();
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      first
          .eventLoop()
          .submit(() -> {
            first.parent().pipeline().addFirst(new Traffic(flushes, reads));
            DuplexChannel stream = pair.dialer.open().join();
            stream.pipeline().addLast(new Digest(answer));
            stream.config().setAutoRead(true);
            stream.writeAndFlush(Unpooled.wrappedBuffer(new byte[32]));
            stream.shutdownOutput();
          })
          .sync();
      assertThat(answer.get(60, TimeUnit.SECONDS))
          .isEqualTo(MessageDigest.getInstance("SHA-256").digest(new byte[32]));
      assertThat(flushes).hasValue(1);
      assertThat(reads).hasValue(1);
    }
  }

  /// Counts what would each be a system call.
  private static final class Traffic extends ChannelDuplexHandler {
    private final AtomicInteger flushes;
    private final AtomicInteger reads;

    Traffic(AtomicInteger flushes, AtomicInteger reads) {
      this.flushes = flushes;
      this.reads = reads;
    }

    @Override
    public void flush(ChannelHandlerContext context) {
      flushes.incrementAndGet();
      context.flush();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      reads.incrementAndGet();
      context.fireChannelRead(message);
    }
  }

  @Test
  void aSessionWhoseEventLoopsHaveEndedRefusesAndDoesNotThrow() throws Exception {
    SecuredPair pair = new SecuredPair(scope, stream -> {}, stream -> {});
    DuplexChannel stream = pair.dialer.open().get(60, TimeUnit.SECONDS);
    pair.close();
    assertThat(pair.dialer.close()).succeedsWithin(60, TimeUnit.SECONDS);
    pair.dialer.reset(stream);
    assertThat(pair.dialer.open()).failsWithin(60, TimeUnit.SECONDS);
  }

  private static void echo(DuplexChannel stream) {
    stream
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object message) {
                context.writeAndFlush(message);
              }

              @Override
              public void userEventTriggered(ChannelHandlerContext context, Object event) {
                if (event instanceof ChannelInputShutdownEvent) {
                  stream.shutdownOutput();
                }
              }
            });
    stream.config().setAutoRead(true);
  }

  private static final class Discard extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ((ByteBuf) message).release();
    }
  }

  /// Hashes what arrives, answers at the end with its own end.
  private static final class Digest extends ChannelInboundHandlerAdapter {
    private final MessageDigest received;
    private final CompletableFuture<byte[]> digest;

    Digest(CompletableFuture<byte[]> digest) {
      try {
        this.received = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
      this.digest = digest;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      received.update(bytes.nioBuffer());
      bytes.release();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        digest.complete(received.digest());
        ((DuplexChannel) context.channel()).shutdownOutput();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      digest.completeExceptionally(cause);
    }
  }
}
