package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.rigmesh.libp2p.StreamResetException;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/// Any interleaving of what applications do with streams, over a wire cut anywhere, against a model
/// that only remembers what was written, ended and reset.
class YamuxPropertyTest {
  enum Kind {
    OPEN,
    WRITE,
    WRITE_MUCH,
    END,
    RESET,
    READ,
    AUTO_READ,
    STOP_READING,
    MOVE
  }

  /// @param pick which stream, of those there are
  record Step(Kind kind, boolean atDialer, int pick, int size) {}

  /// One end of a stream and what its application did.
  private static final class End {
    final StreamProbe probe;
    final ByteArrayOutputStream written = new ByteArrayOutputStream();
    boolean ended;

    End(StreamProbe probe) {
      this.probe = probe;
    }
  }

  @Property(tries = 300)
  void everyStreamCarriesWhatWasWrittenOrSaysThatItWasReset(
      @ForAll("steps") List<Step> steps, @ForAll long seed) {
    Random random = new Random(seed);
    IntUnaryOperator pieces =
        bytes -> random.nextInt(4) == 0 ? 1 + random.nextInt(20) : 1 + random.nextInt(bytes);
    WirePair pair = new WirePair();
    List<End> opened = new ArrayList<>();
    boolean[] reset = new boolean[steps.size() + 1];
    for (Step step : steps) {
      perform(step, pair, opened, reset, random, pieces);
    }
    // Everyone reads, ends, and lets it come to rest.
    for (int i = 0; i < 3; i++) {
      ends(pair, opened).forEach(end -> end.probe.autoRead());
      pair.settle(pieces);
    }
    List<End> all = ends(pair, opened);
    for (int i = 0; i < opened.size(); i++) {
      End ours = opened.get(i);
      End theirs = peer(all, ours);
      if (reset[i]) {
        assertPrefix(ours, theirs);
        continue;
      }
      assertCarried(ours, theirs);
      assertCarried(theirs, ours);
    }
    all.stream().filter(end -> !end.ended).forEach(end -> end.probe.channel.shutdownOutput());
    pair.settle(pieces);
    assertThat(all).allMatch(end -> end.probe.inactive);
    pair.close();
    assertThat(pair.memory.usedBytes()).isZero();
    assertThat(pair.scope.bytes()).isZero();
  }

  private final List<End> answering = new ArrayList<>();

  /// Every end there is: those opened, then those accepted.
  private List<End> ends(WirePair pair, List<End> opened) {
    List<End> all = new ArrayList<>(opened);
    for (List<StreamProbe> probes : List.of(pair.dialer.accepted, pair.listener.accepted)) {
      for (StreamProbe probe : probes) {
        all.add(
            answering.stream()
                .filter(end -> end.probe == probe)
                .findFirst()
                .orElseGet(() -> {
                  End end = new End(probe);
                  answering.add(end);
                  return end;
                }));
      }
    }
    return all;
  }

  private static End peer(List<End> all, End ours) {
    YamuxStream stream = (YamuxStream) ours.probe.channel;
    return all.stream()
        .filter(end -> {
          YamuxStream other = (YamuxStream) end.probe.channel;
          return other.streamId() == stream.streamId() && other.parent() != stream.parent();
        })
        .findFirst()
        .orElse(ours);
  }

  private void perform(
      Step step,
      WirePair pair,
      List<End> opened,
      boolean[] reset,
      Random random,
      IntUnaryOperator pieces) {
    WirePair.Side side = step.atDialer() ? pair.dialer : pair.listener;
    if (step.kind() == Kind.OPEN) {
      opened.add(new End(side.open()));
      return;
    }
    if (step.kind() == Kind.MOVE) {
      WirePair.Side other = step.atDialer() ? pair.listener : pair.dialer;
      pair.move(side, other, pieces);
      return;
    }
    List<End> all = ends(pair, opened);
    if (all.isEmpty()) {
      return;
    }
    End end = all.get(step.pick() % all.size());
    switch (step.kind()) {
      case WRITE -> write(pair, end, step.size() % 3000, random);
      case WRITE_MUCH -> write(pair, end, step.size(), random);
      case END -> {
        end.ended = true;
        end.probe.channel.shutdownOutput();
      }
      case RESET -> {
        int index = opened.indexOf(end);
        if (index < 0) {
          End opener = peer(all, end);
          index = opened.indexOf(opener);
        }
        // A stream that is over cannot be reset any more.
        if (end.probe.channel.isActive()) {
          reset[index] = true;
          ((YamuxStream) end.probe.channel).reset();
        }
      }
      case READ -> end.probe.channel.read();
      case AUTO_READ -> end.probe.channel.config().setAutoRead(true);
      case STOP_READING -> end.probe.channel.config().setAutoRead(false);
      default -> throw new IllegalStateException("Handled above: " + step.kind());
    }
  }

  private static void write(WirePair pair, End end, int size, Random random) {
    byte[] content = new byte[size];
    random.nextBytes(content);
    ByteBuf bytes = pair.memory.allocator().heapBuffer(Math.max(1, size)).writeBytes(content);
    boolean takes = end.probe.channel.isActive() && !end.ended;
    end.probe.channel.writeAndFlush(bytes);
    if (takes) {
      end.written.writeBytes(content);
    }
  }

  private static void assertPrefix(End one, End other) {
    for (End[] way : new End[][] {{one, other}, {other, one}}) {
      byte[] received = way[1].probe.received.toByteArray();
      byte[] sent = way[0].written.toByteArray();
      if (way[0] != way[1]) {
        assertThat(received.length).isLessThanOrEqualTo(sent.length);
        assertThat(Arrays.equals(received, Arrays.copyOf(sent, received.length))).isTrue();
      }
    }
    assertThat(one.probe.inactive).isTrue();
    assertThat(other.probe.inactive).isTrue();
    assertThat(one.probe.failures.size() + other.probe.failures.size()).isLessThanOrEqualTo(1);
    assertThat(one.probe.failures).allMatch(StreamResetException.class::isInstance);
    assertThat(other.probe.failures).allMatch(StreamResetException.class::isInstance);
  }

  private static void assertCarried(End from, End to) {
    assertThat(Arrays.equals(to.probe.received.toByteArray(), from.written.toByteArray()))
        .as("%d bytes of %d arrived", to.probe.received.size(), from.written.size())
        .isTrue();
    assertThat(to.probe.ended()).isEqualTo(from.ended);
    assertThat(to.probe.failures).isEmpty();
    assertThat(to.probe.inactive).isEqualTo(from.ended && to.ended);
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Kind> kinds =
        Arbitraries.frequency(
            Tuple.of(4, Kind.OPEN),
            Tuple.of(8, Kind.WRITE),
            Tuple.of(3, Kind.WRITE_MUCH),
            Tuple.of(3, Kind.END),
            Tuple.of(1, Kind.RESET),
            Tuple.of(4, Kind.READ),
            Tuple.of(3, Kind.AUTO_READ),
            Tuple.of(2, Kind.STOP_READING),
            Tuple.of(10, Kind.MOVE));
    return Combinators.combine(
            kinds,
            Arbitraries.of(true, false),
            Arbitraries.integers().between(0, 1000),
            Arbitraries.integers().between(0, 700_000))
        .as(Step::new)
        .list()
        .ofMinSize(1)
        .ofMaxSize(60);
  }
}
