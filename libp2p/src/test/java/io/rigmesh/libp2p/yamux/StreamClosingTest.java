package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.KnownConnection;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// What closing the API's stream does to the two channels below it.
class StreamClosingTest {
  private static final int WINDOW = Frames.INITIAL_WINDOW_BYTES;

  private final WirePair pair = new WirePair();
  private final StreamProbe ours = pair.dialer.open();
  private final StreamProbe theirs;
  private final Stream stream;

  StreamClosingTest() {
    pair.settle();
    theirs = pair.listener.accepted.getFirst();
    stream =
        new Stream(
            new KnownConnection(
                PeerId.of(Ed25519PrivateKey.ofSeed(new byte[32]).publicKey()),
                Direction.OUTBOUND,
                Instant.EPOCH,
                false,
                0),
            ours.channel,
            new ProtocolId("/test/1.0.0"),
            Direction.OUTBOUND,
            () -> pair.dialer.session.reset(ours.channel));
  }

  @AfterEach
  void nothingLeaks() {
    pair.close();
    assertThat(pair.memory.usedBytes()).isZero();
    assertThat(pair.scope.bytes()).isZero();
  }

  @Test
  void everythingWrittenBeforeArrivesAlsoWhenTheRemoteHadEndedLongAgo() {
    theirs.channel.shutdownOutput();
    pair.settle();
    ours.channel.writeAndFlush(zeros(3 * WINDOW));
    CompletableFuture<Void> closed = stream.close();
    pair.settle();
    assertThat(closed).isNotDone();
    theirs.autoRead();
    pair.settle();
    assertThat(theirs.received.size()).isEqualTo(3 * WINDOW);
    assertThat(theirs.ended()).isTrue();
    assertThat(theirs.failures).isEmpty();
    assertThat(closed).isCompleted();
  }

  @Test
  void whatTheRemoteStillSendsIsDroppedAndItsEndIsAwaited() {
    CompletableFuture<Void> closed = stream.close();
    theirs.channel.writeAndFlush(zeros(3 * WINDOW));
    pair.settle();
    assertThat(ours.received.size()).isZero();
    assertThat(closed).isNotDone();
    theirs.channel.shutdownOutput();
    theirs.autoRead();
    pair.settle();
    assertThat(closed).isCompleted();
    assertThat(theirs.inactive).isTrue();
    assertThat(theirs.failures).isEmpty();
  }

  @Test
  void aRemoteThatNeverEndsIsResetAfterTenSeconds() {
    CompletableFuture<Void> closed = stream.close();
    pair.settle();
    pair.dialer.parent.advanceTimeBy(9, TimeUnit.SECONDS);
    pair.dialer.parent.runScheduledPendingTasks();
    assertThat(closed).isNotDone();
    pair.dialer.parent.advanceTimeBy(2, TimeUnit.SECONDS);
    pair.dialer.parent.runScheduledPendingTasks();
    pair.settle();
    assertThat(closed).isCompleted();
    assertThat(theirs.failures).singleElement().isInstanceOf(StreamResetException.class);
  }

  @Test
  void endingTheWritingHalfKeepsTheReadingOne() {
    ours.autoRead();
    ours.channel.writeAndFlush(zeros(10));
    CompletableFuture<Void> ended = stream.closeWrite();
    pair.settle();
    theirs.autoRead();
    assertThat(ended).isCompleted();
    assertThat(theirs.ended()).isTrue();
    theirs.channel.writeAndFlush(zeros(20));
    pair.settle();
    assertThat(ours.received.size()).isEqualTo(20);
  }

  private ByteBuf zeros(int count) {
    return pair.memory.allocator().heapBuffer(count).writeZero(count);
  }
}
