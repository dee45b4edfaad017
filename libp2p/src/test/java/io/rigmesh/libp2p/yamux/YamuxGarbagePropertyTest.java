package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.StreamResetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class YamuxGarbagePropertyTest {
  @Property(tries = 500)
  void anyBytesEitherMeanSomethingOrEndTheConnection(
      @ForAll long seed, @ForAll @IntRange(max = 20_000) int count) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    receive(bytes, new Random(seed));
  }

  @Property(tries = 500)
  void anyFramesEitherMeanSomethingOrEndTheConnection(
      @ForAll long seed, @ForAll @IntRange(max = 300) int frames) {
    Random random = new Random(seed);
    ByteBuf wire = Unpooled.buffer();
    for (int i = 0; i < frames; i++) {
      int type = random.nextInt(random.nextInt(20) == 0 ? 6 : 4);
      int length = random.nextInt(random.nextInt(50) == 0 ? Integer.MAX_VALUE : 2000);
      int id = type > 1 ? 0 : random.nextInt(1, 12);
      Frames.writeHeader(wire, type, random.nextInt(16), id, type == 3 ? 0 : length);
      if (type == Frames.DATA && length < 2000) {
        wire.writeZero(length);
      }
    }
    byte[] bytes = new byte[wire.readableBytes()];
    wire.readBytes(bytes);
    receive(bytes, random);
  }

  private static void receive(byte[] bytes, Random random) {
    TrackedAllocator memory = new TrackedAllocator();
    CountedScope scope = new CountedScope(1024 * 1024);
    EmbeddedChannel parent = new EmbeddedChannel();
    parent.config().setAllocator(memory.allocator());
    List<StreamProbe> streams = new ArrayList<>();
    YamuxSession session =
        YamuxSession.attach(
            parent,
            Direction.INBOUND,
            scope,
            stream ->
                streams.add(
                    random.nextBoolean()
                        ? new StreamProbe(stream).autoRead()
                        : new StreamProbe(stream)),
            YamuxConfig.defaults());
    streams.add(new StreamProbe(session.open().join()));
    for (int at = 0; at < bytes.length && parent.isActive(); ) {
      int piece = Math.min(1 + random.nextInt(500), bytes.length - at);
      parent.writeInbound(memory.allocator().heapBuffer(piece).writeBytes(bytes, at, piece));
      at += piece;
    }
    if (parent.isActive()) {
      assertThat(session.closed()).isNotDone();
      parent.close();
    }
    assertThat(session.closed()).isDone();
    streams.forEach(StreamProbe::autoRead);
    parent.runPendingTasks();
    assertThat(streams).allMatch(probe -> probe.inactive);
    assertThat(streams)
        .allSatisfy(
            probe -> assertThat(probe.failures).allMatch(StreamResetException.class::isInstance));
    parent.finishAndReleaseAll();
    assertThat(memory.usedBytes()).isZero();
    assertThat(scope.bytes()).isZero();
  }
}
