package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.StreamResetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class YamuxStreamTest {
  private static final int WINDOW = Frames.INITIAL_WINDOW_BYTES;

  private final WirePair pair = new WirePair();

  @AfterEach
  void nothingLeaks() {
    pair.close();
    assertThat(pair.memory.usedBytes()).isZero();
    assertThat(pair.scope.bytes()).isZero();
  }

  @Test
  void bytesGoBothWays() {
    StreamProbe ours = pair.dialer.open().autoRead();
    write(ours, "question".getBytes());
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst().autoRead();
    assertThat(theirs.received.toString()).isEqualTo("question");
    write(theirs, "answer".getBytes());
    pair.settle();
    assertThat(ours.received.toString()).isEqualTo("answer");
  }

  @Test
  void theListenerOpensStreamsToo() {
    StreamProbe ours = pair.listener.open();
    write(ours, new byte[] {1});
    pair.settle();
    assertThat(pair.dialer.accepted).hasSize(1);
    assertThat(((YamuxStream) ours.channel).streamId()).isEqualTo(2);
  }

  @Test
  void aStreamOpensWithoutAWriteAndIsAcknowledged() {
    StreamProbe ours = pair.dialer.open();
    pair.settle();
    assertThat(pair.listener.accepted).hasSize(1);
    assertThat(((YamuxStream) ours.channel).acknowledged()).isTrue();
  }

  @Test
  void nothingIsDeliveredBeforeItIsAskedFor() {
    StreamProbe ours = pair.dialer.open();
    write(ours, new byte[1000]);
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    assertThat(theirs.received.size()).isZero();
    theirs.channel.read();
    pair.settle();
    assertThat(theirs.received.size()).isEqualTo(1000);
    assertThat(theirs.readCompletes).isEqualTo(1);
    write(ours, new byte[10]);
    pair.settle();
    assertThat(theirs.received.size()).isEqualTo(1000);
  }

  @Test
  void oneReadHandsOverABoundedPartOfWhatWaits() {
    StreamProbe ours = pair.dialer.open();
    write(ours, new byte[200 * 1024]);
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    theirs.channel.read();
    pair.settle();
    assertThat(theirs.received.size()).isBetween(64 * 1024, 128 * 1024);
  }

  @Test
  void aWriteLargerThanTheWindowWaitsForTheReaderAndArrivesWhole() {
    StreamProbe ours = pair.dialer.open();
    byte[] bytes = random(5 * WINDOW + 123);
    ChannelFuture written = write(ours, bytes);
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    assertThat(written.isDone()).isFalse();
    assertThat(ours.channel.isWritable()).isFalse();
    assertThat(pending(ours)).isEqualTo(4L * WINDOW + 123);
    theirs.autoRead();
    pair.settle();
    assertThat(written.isSuccess()).isTrue();
    assertThat(ours.channel.isWritable()).isTrue();
    assertThat(theirs.received.toByteArray()).isEqualTo(bytes);
  }

  @Test
  void aReaderThatStopsStopsTheSender() {
    StreamProbe ours = pair.dialer.open();
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst().autoRead();
    write(ours, new byte[3 * WINDOW]);
    theirs.channel.config().setAutoRead(false);
    int before = theirs.received.size();
    pair.settle();
    assertThat(theirs.received.size()).isEqualTo(before);
    assertThat(pending(ours)).isEqualTo(2L * WINDOW);
  }

  @Test
  void halfCloseLetsTheOtherHalfGoOn() throws Exception {
    StreamProbe ours = pair.dialer.open().autoRead();
    write(ours, new byte[10]);
    ChannelFuture ended = ours.channel.shutdownOutput();
    pair.settle();
    assertThat(ended.isSuccess()).isTrue();
    StreamProbe theirs = pair.listener.accepted.getFirst().autoRead();
    assertThat(theirs.received.size()).isEqualTo(10);
    assertThat(theirs.events)
        .containsExactly(
            ChannelInputShutdownEvent.INSTANCE, ChannelInputShutdownReadComplete.INSTANCE);
    assertThat(theirs.channel.isInputShutdown()).isTrue();
    assertThat(theirs.channel.isOutputShutdown()).isFalse();
    assertThat(ours.channel.isOutputShutdown()).isTrue();
    write(theirs, new byte[20]);
    pair.settle();
    assertThat(ours.received.size()).isEqualTo(20);
    assertThat(ours.inactive).isFalse();

    theirs.channel.shutdownOutput();
    pair.settle();
    assertThat(ours.inactive).isTrue();
    assertThat(theirs.inactive).isTrue();
    assertThat(ours.failures).isEmpty();
    assertThat(theirs.failures).isEmpty();
  }

  @Test
  void theEndComesAfterEverythingWrittenBeforeIt() {
    StreamProbe ours = pair.dialer.open();
    byte[] bytes = random(3 * WINDOW);
    write(ours, bytes);
    ChannelFuture ended = ours.channel.shutdownOutput();
    ChannelFuture again = ours.channel.shutdownOutput();
    pair.settle();
    assertThat(ended.isDone()).isFalse();
    assertThat(ours.channel.isOutputShutdown()).isFalse();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    assertThat(theirs.ended()).isFalse();
    theirs.autoRead();
    pair.settle();
    assertThat(ended.isSuccess()).isTrue();
    assertThat(again.isSuccess()).isTrue();
    assertThat(theirs.received.toByteArray()).isEqualTo(bytes);
    assertThat(theirs.ended()).isTrue();
  }

  @Test
  void aWriteAfterTheEndFails() {
    StreamProbe ours = pair.dialer.open();
    ours.channel.shutdownOutput();
    ChannelFuture late = write(ours, new byte[10]);
    assertThat(late.cause()).isInstanceOf(ChannelOutputShutdownException.class);
  }

  @Test
  void whatCameBeforeTheEndStaysReadableAfterThisSideHasEnded() {
    StreamProbe ours = pair.dialer.open();
    ours.channel.shutdownOutput();
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    byte[] bytes = random(100_000);
    write(theirs, bytes);
    theirs.channel.shutdownOutput();
    pair.settle();
    assertThat(ours.channel.isActive()).isTrue();
    assertThat(ours.ended()).isFalse();
    ours.autoRead();
    pair.settle();
    assertThat(ours.received.toByteArray()).isEqualTo(bytes);
    assertThat(ours.ended()).isTrue();
    assertThat(ours.inactive).isTrue();
  }

  @Test
  void whatTheRemoteHasSentAndEndedOutlivesTheConnection() {
    StreamProbe ours = pair.dialer.open();
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    byte[] bytes = random(100_000);
    write(theirs, bytes);
    theirs.channel.shutdownOutput();
    pair.settle();
    pair.listener.session.close();
    pair.settle();
    pair.dialer.parent.close();
    assertThat(pair.dialer.session.closed()).isDone();
    assertThat(ours.channel.isActive()).isTrue();
    assertThat(write(ours, new byte[1]).cause()).isNotNull();
    ours.autoRead();
    pair.settle();
    assertThat(ours.received.toByteArray()).isEqualTo(bytes);
    assertThat(ours.ended()).isTrue();
    assertThat(ours.inactive).isTrue();
    assertThat(ours.failures).isEmpty();
  }

  @Test
  void aResetReachesTheOtherSideAndFailsWhatWaits() {
    StreamProbe ours = pair.dialer.open();
    ChannelFuture waiting = write(ours, new byte[2 * WINDOW]);
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    ChannelFuture theirsWaiting = write(theirs, new byte[2 * WINDOW]);
    pair.settle();
    pair.dialer.session.reset(ours.channel);
    pair.settle();
    assertThat(ours.inactive).isTrue();
    assertThat(waiting.cause()).isInstanceOf(StreamResetException.class);
    assertThat(theirs.inactive).isTrue();
    assertThat(theirs.failures)
        .singleElement()
        .isInstanceOf(StreamResetException.class)
        .hasToString(StreamResetException.class.getName() + ": the remote has reset the stream");
    assertThat(theirsWaiting.cause()).isInstanceOf(StreamResetException.class);
  }

  @Test
  void closingAnUnfinishedChannelResetsIt() {
    StreamProbe ours = pair.dialer.open();
    pair.settle();
    ours.channel.close();
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    assertThat(theirs.failures).hasSize(1);
    assertThat(theirs.inactive).isTrue();
  }

  @Test
  void theConnectionsEndEndsEveryStreamWithItsReason() {
    List<StreamProbe> all = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      all.add(pair.dialer.open());
      all.add(pair.listener.open());
    }
    pair.settle();
    pair.dialer.session.close();
    pair.settle();
    pair.listener.parent.close();
    all.addAll(pair.dialer.accepted);
    all.addAll(pair.listener.accepted);
    assertThat(all).hasSize(20).allMatch(probe -> probe.inactive);
    assertThat(all)
        .allSatisfy(probe ->
            assertThat(probe.failures).singleElement().isInstanceOf(StreamResetException.class));
    assertThat(pair.dialer.session.closed())
        .isCompletedWithValue("this side closed the connection");
    assertThat(pair.listener.session.closed())
        .isCompletedWithValue("the remote closed the connection");
    assertThatThrownBy(() -> pair.dialer.session.open().join())
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("this side closed the connection");
  }

  @Test
  void aCancelledOpeningLeavesNothing() {
    CompletableFuture<DuplexChannel> opened = new CompletableFuture<>();
    opened.cancel(false);
    pair.dialer.parent.pipeline().get(YamuxHandler.class).open(opened);
    pair.settle();
    assertThat(pair.listener.accepted).isEmpty();
    StreamProbe next = pair.dialer.open();
    write(next, new byte[1]);
    pair.settle();
    assertThat(pair.listener.accepted).hasSize(1);
  }

  @Test
  void openingWaitsForTheRemoteAtTwoHundredAndFiftySixUnacknowledged() {
    for (int i = 0; i < 256; i++) {
      pair.dialer.open();
    }
    assertThatThrownBy(() -> pair.dialer.session.open().join())
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("256 streams wait for the remote to acknowledge them");
    pair.settle();
    assertThat(pair.listener.accepted).hasSize(256);
    pair.dialer.open();
  }

  @Test
  void streamsTakeTurns() {
    StreamProbe first = pair.dialer.open();
    StreamProbe second = pair.dialer.open();
    pair.settle();
    pair.listener.accepted.forEach(StreamProbe::autoRead);
    // Both have more to send than the connection takes at once, which is its high water mark.
    first.channel.write(bytes(new byte[8 * WINDOW]));
    second.channel.write(bytes(new byte[8 * WINDOW]));
    first.channel.flush();
    second.channel.flush();
    pair.move(pair.dialer, pair.listener, count -> count);
    int one = pair.listener.accepted.get(0).received.size();
    int other = pair.listener.accepted.get(1).received.size();
    assertThat(one).isPositive();
    assertThat(Math.abs(one - other)).isLessThanOrEqualTo(WINDOW);
    pair.settle();
    assertThat(pair.listener.accepted.get(0).received.size()).isEqualTo(8 * WINDOW);
    assertThat(pair.listener.accepted.get(1).received.size()).isEqualTo(8 * WINDOW);
  }

  @Test
  void aListenerOfAWriteMayCloseTheStream() {
    StreamProbe ours = pair.dialer.open();
    pair.settle();
    ours.channel.write(bytes(new byte[10])).addListener(done -> ours.channel.close());
    ChannelFuture second = ours.channel.write(bytes(new byte[10]));
    ours.channel.flush();
    pair.settle();
    assertThat(second.isDone()).isTrue();
    assertThat(ours.inactive).isTrue();
    assertThat(pair.listener.accepted.getFirst().inactive).isTrue();
  }

  @Test
  void aShutDownInputDropsWhatComesAndTheRemoteCanFinish() {
    StreamProbe ours = pair.dialer.open();
    pair.settle();
    StreamProbe theirs = pair.listener.accepted.getFirst();
    theirs.channel.shutdownInput();
    ChannelFuture written = write(ours, new byte[3 * WINDOW]);
    pair.settle();
    assertThat(written.isSuccess()).isTrue();
    assertThat(theirs.received.size()).isZero();
    ours.channel.shutdownOutput();
    theirs.channel.shutdownOutput();
    pair.settle();
    assertThat(theirs.inactive).isTrue();
    assertThat(ours.inactive).isTrue();
    assertThat(ours.failures).isEmpty();
  }

  private ByteBuf bytes(byte[] content) {
    return pair.memory.allocator().heapBuffer(content.length).writeBytes(content);
  }

  private ChannelFuture write(StreamProbe stream, byte[] content) {
    ChannelFuture written = stream.channel.writeAndFlush(bytes(content));
    pair.dialer.parent.runPendingTasks();
    pair.listener.parent.runPendingTasks();
    return written;
  }

  /// What a stream has been given and has not sent.
  private static long pending(StreamProbe stream) {
    AtomicLong bytes = new AtomicLong();
    try {
      stream
          .channel
          .unsafe()
          .outboundBuffer()
          .forEachFlushedMessage(message -> {
            bytes.addAndGet(((ByteBuf) message).readableBytes());
            return true;
          });
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return bytes.get();
  }

  private static byte[] random(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }
}
