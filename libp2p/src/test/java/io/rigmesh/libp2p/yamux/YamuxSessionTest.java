package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class YamuxSessionTest {
  private final TrackedAllocator memory = new TrackedAllocator();
  private final CountedScope scope = new CountedScope(Long.MAX_VALUE);
  private final Flushes flushes = new Flushes();
  private final EmbeddedChannel parent = new EmbeddedChannel(flushes);
  private final List<StreamProbe> accepted = new ArrayList<>();
  private final YamuxSession session;

  YamuxSessionTest() {
    parent.config().setAllocator(memory.allocator());
    session =
        YamuxSession.attach(
            parent,
            Direction.OUTBOUND,
            scope,
            stream -> {
              accepted.add(new StreamProbe(stream));
              stream.pipeline().addFirst(new Answering());
              stream.config().setAutoRead(true);
            },
            new YamuxConfig(1024 * 1024, 16, Duration.ofSeconds(30)));
    parent.runPendingTasks();
  }

  /// Counts the flushes that would each be a system call.
  private static final class Flushes extends ChannelOutboundHandlerAdapter {
    int count;

    @Override
    public void flush(ChannelHandlerContext context) {
      count++;
      context.flush();
    }
  }

  /// Answers a request with ten bytes and the end.
  private static final class Answering extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ((ByteBuf) message).release();
      context.writeAndFlush(context.alloc().heapBuffer(10).writeZero(10));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof ChannelInputShutdownEvent) {
        ((DuplexChannel) context.channel()).shutdownOutput();
      }
    }
  }

  @AfterEach
  void nothingLeaks() {
    parent.finishAndReleaseAll();
    assertThat(memory.usedBytes()).isZero();
    assertThat(scope.bytes()).isZero();
  }

  @Test
  void aStreamsFirstBytesCarryItsOpening() {
    sent();
    DuplexChannel stream = session.open().join();
    stream.writeAndFlush(memory.allocator().heapBuffer(32).writeZero(32));
    stream.shutdownOutput();
    assertThat(sent()).containsExactly("DATA SYN 1 32", "WINDOW_UPDATE FIN 1 0");
  }

  @Test
  void anAnswerWrittenWhileReadingIsOneFlushAndCarriesTheAcknowledgement() {
    sent();
    flushes.count = 0;
    ByteBuf request = Unpooled.buffer();
    Frames.writeHeader(request, Frames.DATA, Frames.SYN | Frames.FIN, 2, 32).writeZero(32);
    parent.writeInbound(request);
    assertThat(flushes.count).isEqualTo(1);
    assertThat(sent()).containsExactly("DATA ACK 2 10", "WINDOW_UPDATE FIN 2 0");
    assertThat(accepted.getFirst().inactive).isTrue();
  }

  @Test
  void manySmallWritesLeaveInOneFrame() {
    DuplexChannel stream = session.open().join();
    sent();
    for (int i = 0; i < 50; i++) {
      stream.write(memory.allocator().heapBuffer(20).writeZero(20));
    }
    stream.flush();
    parent.runPendingTasks();
    assertThat(sent()).containsExactly("DATA 1 1000");
  }

  @Test
  void aPingIsAnsweredWithItsValue() {
    sent();
    parent.writeInbound(
        Frames.writeHeader(Unpooled.buffer(), Frames.PING, Frames.SYN, 0, 0x01020304));
    assertThat(sent()).containsExactly("PING ACK 0 16909060");
  }

  @Test
  void theRoundTripIsMeasuredAtTheStart() {
    assertThat(sent()).containsExactly("PING SYN 0 1");
    YamuxHandler handler = parent.pipeline().get(YamuxHandler.class);
    assertThat(handler.roundTripNanos()).isZero();
    parent.writeInbound(Frames.writeHeader(Unpooled.buffer(), Frames.PING, Frames.ACK, 0, 1));
    assertThat(handler.roundTripNanos()).isPositive();
  }

  @Test
  void aSilentRemoteIsPingedAndThenLeft() {
    parent.writeInbound(Frames.writeHeader(Unpooled.buffer(), Frames.PING, Frames.ACK, 0, 1));
    sent();
    // The first half minute had an answer, the second nothing: a ping; the third nothing either.
    parent.advanceTimeBy(31, TimeUnit.SECONDS);
    parent.runScheduledPendingTasks();
    assertThat(sent()).isEmpty();
    parent.advanceTimeBy(31, TimeUnit.SECONDS);
    parent.runScheduledPendingTasks();
    assertThat(sent()).containsExactly("PING SYN 0 2");
    assertThat(session.closed()).isNotDone();
    parent.advanceTimeBy(31, TimeUnit.SECONDS);
    parent.runScheduledPendingTasks();
    assertThat(session.closed())
        .isCompletedWithValue("the remote has not answered a ping for 30 s");
  }

  @Test
  void aRemoteThatAnswersIsKept() {
    parent.writeInbound(Frames.writeHeader(Unpooled.buffer(), Frames.PING, Frames.ACK, 0, 1));
    for (int value = 2; value < 6; value++) {
      parent.advanceTimeBy(61, TimeUnit.SECONDS);
      parent.runScheduledPendingTasks();
      parent.writeInbound(Frames.writeHeader(Unpooled.buffer(), Frames.PING, Frames.ACK, 0, value));
    }
    assertThat(session.closed()).isNotDone();
  }

  @Test
  void afterTheRemotesGoodbyeNoStreamOpensAndTheOthersGoOn() {
    StreamProbe stream = new StreamProbe(session.open().join()).autoRead();
    parent.writeInbound(Frames.writeHeader(Unpooled.buffer(), Frames.GO_AWAY, 0, 0, 0));
    assertThatThrownBy(() -> session.open().join())
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("the remote has said goodbye");
    parent.writeInbound(
        Frames.writeHeader(Unpooled.buffer(), Frames.DATA, Frames.ACK, 1, 3).writeZero(3));
    assertThat(stream.received.size()).isEqualTo(3);
  }

  @Test
  void closingSaysGoodbye() {
    sent();
    session.close();
    assertThat(sent()).containsExactly("GO_AWAY 0 0");
    assertThat(parent.isActive()).isFalse();
  }

  @Test
  void aRemoteThatReadsNothingDoesNotHoldTheSocketOpen() {
    parent.pipeline().addFirst(new Swallow());
    session.close();
    assertThat(parent.isActive()).isTrue();
    parent.advanceTimeBy(3, TimeUnit.SECONDS);
    parent.runScheduledPendingTasks();
    assertThat(parent.isActive()).isFalse();
    assertThat(session.close()).isDone();
  }

  /// A socket that takes bytes and never says that they are sent.
  private static final class Swallow extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      ((ByteBuf) message).release();
    }
  }

  @Test
  void aConnectionThatIsClosedAlreadySaysSo() {
    EmbeddedChannel gone = new EmbeddedChannel();
    gone.close();
    YamuxSession late =
        YamuxSession.attach(gone, Direction.OUTBOUND, scope, stream -> {}, YamuxConfig.defaults());
    assertThat(late.closed()).isCompletedWithValue("the connection was closed before yamux began");
    assertThatThrownBy(() -> late.open().join()).hasCauseInstanceOf(Libp2pException.class);
  }

  @Test
  void theEndOfTheRemotesHalfEndsTheConnection() {
    parent.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    assertThat(session.closed()).isCompletedWithValue("the remote closed the connection");
  }

  /// The frames written since the last call, in words.
  private List<String> sent() {
    parent.runPendingTasks();
    List<String> frames = new ArrayList<>();
    for (ByteBuf frame = parent.readOutbound(); frame != null; frame = parent.readOutbound()) {
      int type = frame.readUnsignedShort();
      int flags = frame.readUnsignedShort();
      StringBuilder words =
          new StringBuilder(List.of("DATA", "WINDOW_UPDATE", "PING", "GO_AWAY").get(type));
      List<String> names = List.of("SYN", "ACK", "FIN", "RST");
      for (int i = 0; i < names.size(); i++) {
        if ((flags & 1 << i) != 0) {
          words.append(' ').append(names.get(i));
        }
      }
      words.append(' ').append(frame.readInt()).append(' ').append(frame.readInt());
      frames.add(words.toString());
      frame.release();
    }
    return frames;
  }
}
