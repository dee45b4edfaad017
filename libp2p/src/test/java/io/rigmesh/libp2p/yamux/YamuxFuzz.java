package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.StreamResetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// What a fuzzer may feed yamux.
public final class YamuxFuzz {
  private YamuxFuzz() {}

  /// A stream that is opened, written to and ended.
  public static byte[] seed() {
    ByteBuf wire = Unpooled.buffer();
    Frames.writeHeader(wire, 1, 1, 1, 0);
    Frames.writeHeader(wire, Frames.DATA, 0, 1, 5);
    wire.writeZero(5);
    Frames.writeHeader(wire, 2, 1, 0, 7);
    Frames.writeHeader(wire, Frames.DATA, 4, 1, 0);
    return Arrays.copyOf(wire.array(), wire.readableBytes());
  }

  /// Hears these bytes in one piece.
  public static void frames(byte[] bytes) {
    receive(bytes, new Random(bytes.length));
  }

  /// Hears these bytes in pieces: they either mean something or end the connection, its streams end
  /// with it, and no memory stays behind.
  static void receive(byte[] bytes, Random random) {
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
      check(!session.closed().isDone(), "the session is open as its connection is");
      parent.close();
    }
    check(session.closed().isDone(), "the session ends with its connection");
    streams.forEach(StreamProbe::autoRead);
    parent.runPendingTasks();
    check(streams.stream().allMatch(probe -> probe.inactive), "streams end with the session");
    check(
        streams.stream()
            .flatMap(probe -> probe.failures.stream())
            .allMatch(StreamResetException.class::isInstance),
        "streams fail as reset");
    parent.finishAndReleaseAll();
    check(memory.usedBytes() == 0, "memory is given back");
    check(scope.bytes() == 0, "the account is settled");
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("Not so: " + what);
    }
  }
}
