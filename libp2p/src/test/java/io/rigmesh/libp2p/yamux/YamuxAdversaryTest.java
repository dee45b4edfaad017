package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rigmesh.libp2p.Direction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A remote that writes what it likes: every rule broken ends the connection with a farewell that
/// says so, and never takes memory.
class YamuxAdversaryTest {
  private static final int WINDOW = Frames.INITIAL_WINDOW_BYTES;

  private final TrackedAllocator memory = new TrackedAllocator();
  private final CountedScope scope = new CountedScope(1024 * 1024);
  private final EmbeddedChannel parent = new EmbeddedChannel();
  private final List<StreamProbe> accepted = new ArrayList<>();
  private final YamuxSession session;

  YamuxAdversaryTest() {
    parent.config().setAllocator(memory.allocator());
    session =
        YamuxSession.attach(
            parent,
            Direction.INBOUND,
            scope,
            stream -> accepted.add(new StreamProbe(stream)),
            YamuxConfig.defaults());
    // Its first ping.
    answers();
  }

  @AfterEach
  void nothingLeaks() {
    parent.finishAndReleaseAll();
    assertThat(memory.usedBytes()).isZero();
    assertThat(scope.bytes()).isZero();
  }

  @Test
  void moreThanTheWindowIsRefusedBeforeItsBytesCome() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    send(Frames.DATA, 0, 1, WINDOW + 1);
    assertRefused("data of 262145 bytes for stream 1, whose window has 262144");
  }

  @Test
  void theWindowCountsWhatWasNotRead() {
    send(Frames.DATA, Frames.SYN, 1, WINDOW);
    parent.writeInbound(zeros(WINDOW));
    assertThat(session.closed()).isNotDone();
    send(Frames.DATA, 0, 1, 1);
    assertRefused("data of 1 bytes for stream 1, whose window has 0");
  }

  @Test
  void aGiantLengthIsRefused() {
    send(Frames.DATA, Frames.SYN, 1, 0xffff_ffff);
    assertRefused("data of 4294967295 bytes for stream 1");
  }

  @Test
  void aGiantLengthForAStreamThatIsGoneIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    send(Frames.WINDOW_UPDATE, Frames.RST, 1, 0);
    send(Frames.DATA, 0, 1, 0xffff_ffff);
    assertRefused("for stream 1, which is closed, after its window was used up");
  }

  @Test
  void whatWasOnItsWayToAStreamThatWasResetIsDropped() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    session.reset(accepted.getFirst().channel);
    send(Frames.DATA, 0, 1, WINDOW);
    parent.writeInbound(zeros(WINDOW));
    send(Frames.WINDOW_UPDATE, Frames.SYN, 3, 0);
    assertThat(accepted).hasSize(2);
  }

  @Test
  void dataForAStreamThatIsGoneIsDroppedWithinItsWindowOnly() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    session.reset(accepted.getFirst().channel);
    for (int i = 0; i < 2; i++) {
      send(Frames.DATA, 0, 1, WINDOW);
      parent.writeInbound(zeros(WINDOW));
    }
    send(Frames.DATA, 0, 1, 1);
    assertRefused("which is closed, after its window was used up");
  }

  @Test
  void anUnknownVersionIsRefused() {
    parent.writeInbound(
        Frames.writeHeader(Unpooled.buffer(), 0x0100 | Frames.PING, Frames.SYN, 0, 0));
    assertRefused("a frame of version 1, not 0");
  }

  @Test
  void anUnknownTypeIsRefused() {
    send(4, 0, 0, 0);
    assertRefused("a frame of unknown type 4");
  }

  @Test
  void aPingNamesNoStreamAndDataDoes() {
    send(Frames.PING, Frames.SYN, 1, 0);
    assertRefused("a frame of type 2 names stream 1");
  }

  @Test
  void dataForStreamZeroIsRefused() {
    send(Frames.DATA, Frames.SYN, 0, 0);
    assertRefused("a frame of type 0 names stream 0");
  }

  @Test
  void aStreamThatWasNeverOpenedIsRefused() {
    send(Frames.DATA, 0, 5, 1);
    assertRefused("a frame for stream 5, which was never opened");
  }

  @Test
  void aStreamOfOursThatWeNeverOpenedIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.ACK, 2, 0);
    assertRefused("a frame for stream 2, which was never opened");
  }

  @Test
  void anIdThatIsNotTheRemotesToGiveIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 2, 0);
    assertRefused("the remote opened stream 2, an id that is not its own or was used before");
  }

  @Test
  void aStreamOpenedTwiceIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    assertRefused("the remote opened stream 1 twice");
  }

  @Test
  void anIdUsedAgainIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    send(Frames.WINDOW_UPDATE, Frames.RST, 1, 0);
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    assertRefused("the remote opened stream 1, an id that is not its own or was used before");
  }

  @Test
  void dataAfterTheEndIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.SYN | Frames.FIN, 1, 0);
    send(Frames.DATA, 0, 1, 1);
    assertRefused("data for stream 1 after its end");
  }

  @Test
  void aWindowOverFourGibibytesIsRefused() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0xffff_ffff);
    assertRefused("the window of stream 1 grew over 4 GiB");
  }

  @Test
  void streamsOverTheBacklogAreResetAndTheOthersGoOn() {
    ByteBuf flood = Unpooled.buffer();
    for (int id = 1; id < 2 * 1000; id += 2) {
      Frames.writeHeader(flood, Frames.WINDOW_UPDATE, Frames.SYN, id, 0);
    }
    parent.writeInbound(flood);
    assertThat(accepted).hasSize(StreamTable.ACK_BACKLOG_MAX);
    List<long[]> answers = answers();
    assertThat(answers).filteredOn(answer -> answer[1] == Frames.ACK).hasSize(256);
    assertThat(answers).filteredOn(answer -> answer[1] == Frames.RST).hasSize(744);
    assertThat(session.closed()).isNotDone();
  }

  @Test
  void openStreamsAreBounded() {
    int id = 1;
    for (int i = 0; i < 2 * YamuxConfig.defaults().inboundStreamsMax(); i++, id += 2) {
      send(Frames.WINDOW_UPDATE, Frames.SYN, id, 0);
      answers();
    }
    assertThat(accepted).hasSize(YamuxConfig.defaults().inboundStreamsMax());
    assertThat(session.closed()).isNotDone();
  }

  @Test
  void aFloodOfStreamsOpenedAndResetEndsTheConnection() {
    for (int id = 1; id < 2 * 100_000 && parent.isActive(); ) {
      ByteBuf flood = Unpooled.buffer();
      for (int i = 0; i < 100; i++, id += 2) {
        Frames.writeHeader(flood, Frames.WINDOW_UPDATE, Frames.SYN, id, 0);
        Frames.writeHeader(flood, Frames.WINDOW_UPDATE, Frames.RST, id, 0);
      }
      parent.writeInbound(flood);
      parent.releaseOutbound();
      accepted.clear();
    }
    assertThat(session.closed().join()).contains("only to reset them");
  }

  @Test
  void aFloodOfPingsIsNotAnsweredAndThenEndsTheConnection() {
    int pings = 0;
    long answered = 0;
    while (parent.isActive() && pings < 400_000) {
      ByteBuf flood = Unpooled.buffer();
      for (int i = 0; i < 1000; i++) {
        Frames.writeHeader(flood, Frames.PING, Frames.SYN, 0, pings++);
      }
      parent.writeInbound(flood);
      answered += answers().stream().filter(answer -> answer[0] == Frames.PING).count();
    }
    assertThat(session.closed().join()).contains("frames a second that carry nothing");
    assertThat(answered).isBetween(1L, 2_000L);
  }

  @Test
  void aFloodOfEmptyFramesEndsTheConnection() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    for (int frames = 0; frames < 400_000 && parent.isActive(); ) {
      ByteBuf flood = Unpooled.buffer();
      for (int i = 0; i < 1000; i++, frames++) {
        Frames.writeHeader(flood, frames % 2 == 0 ? Frames.DATA : Frames.WINDOW_UPDATE, 0, 1, 0);
      }
      parent.writeInbound(flood);
    }
    assertThat(session.closed().join()).contains("frames a second that carry nothing");
  }

  @Test
  void whatWaitsUnreadIsCountedAndBoundedByTheConnectionsMemory() {
    // Eight streams with full windows would hold 2 MiB; the connection may hold one.
    for (int id = 1; id < 16; id += 2) {
      send(Frames.DATA, Frames.SYN, id, WINDOW);
      parent.writeInbound(zeros(WINDOW));
    }
    assertThat(scope.bytes()).isBetween(900L * 1024, 1024L * 1024);
    assertThat(accepted).filteredOn(probe -> probe.inactive).hasSize(4);
    assertThat(accepted)
        .filteredOn(probe -> probe.inactive)
        .allSatisfy(probe ->
            assertThat(probe.failures.getFirst()).hasMessageContaining("found no more memory"));
    assertThat(session.closed()).isNotDone();
    accepted.forEach(StreamProbe::autoRead);
    assertThat(scope.bytes()).isZero();
  }

  @Test
  void bytesThatComeOneByOneTakeLittleMoreMemoryThanTheirNumber() {
    send(Frames.WINDOW_UPDATE, Frames.SYN, 1, 0);
    for (int i = 0; i < 20_000; i++) {
      // Each in a large buffer of its own, as a remote may make them with Noise.
      ByteBuf frame = memory.allocator().heapBuffer(4096);
      parent.writeInbound(Frames.writeHeader(frame, Frames.DATA, 0, 1, 1).writeByte(1));
    }
    assertThat(memory.usedBytes()).isLessThan(50_000);
    assertThat(session.closed()).isNotDone();
  }

  @Test
  void aRemoteThatAsksAndDoesNotReadIsDisconnected() {
    // Streams refused one after the other, each with an answer that nobody takes.
    parent.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
    for (int id = 1; id < 2 * 20_000 && parent.isActive(); id += 2) {
      send(Frames.WINDOW_UPDATE, Frames.SYN, id, 0);
    }
    assertThat(session.closed().join()).contains("does not read the answers that it asks for");
  }

  @Test
  void aFarewellWithAnErrorEndsTheConnection() {
    send(Frames.GO_AWAY, 0, 0, Frames.PROTOCOL_ERROR);
    assertThat(session.closed().join())
        .isEqualTo("the remote has ended the connection with code 1 (protocol error)");
  }

  private void assertRefused(String reason) {
    assertThat(session.closed().join()).contains(reason);
    assertThat(parent.isActive()).isFalse();
    assertThat(answers()).last().isEqualTo(new long[] {Frames.GO_AWAY, 0, 0, 1});
    assertThat(accepted).allMatch(probe -> probe.inactive);
  }

  private void send(int type, int flags, int streamId, int length) {
    parent.writeInbound(
        Frames.writeHeader(Unpooled.buffer(Frames.HEADER_BYTES), type, flags, streamId, length));
  }

  /// Type, flags, stream and length of each frame written since the last call.
  private List<long[]> answers() {
    List<long[]> frames = new ArrayList<>();
    parent.runPendingTasks();
    for (ByteBuf frame = parent.readOutbound(); frame != null; frame = parent.readOutbound()) {
      frames.add(
          new long[] {
            frame.readUnsignedShort(),
            frame.readUnsignedShort(),
            frame.readUnsignedInt(),
            frame.readUnsignedInt()
          });
      frame.release();
    }
    return frames;
  }

  private ByteBuf zeros(int count) {
    return memory.allocator().heapBuffer(count).writeZero(count);
  }
}
