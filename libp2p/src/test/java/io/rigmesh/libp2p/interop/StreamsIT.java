package io.rigmesh.libp2p.interop;

import static io.rigmesh.libp2p.interop.Cast.soon;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.util.internal.PlatformDependent;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Connections and streams between ours and js-libp2p, whoever dials.
final class StreamsIT {
  private static final ProtocolId ECHO = new ProtocolId("/interop/echo/1.0.0");
  private static final ProtocolId HOLD = new ProtocolId("/interop/hold/1.0.0");
  private static final ProtocolId SINK = new ProtocolId("/interop/sink/1.0.0");
  private static final ProtocolId SOURCE = new ProtocolId("/interop/source/1.0.0");
  private static final ProtocolId RESET = new ProtocolId("/interop/reset/1.0.0");
  private static final int TEN_MEGABYTES = 10_000_000;

  private final Cast cast = new Cast();

  @TempDir private Path folder;

  @AfterEach
  void sendHome() {
    cast.close();
  }

  @ParameterizedTest
  @EnumSource
  void connectsWhoeverDials(Wire wire) {
    JsPeer js = cast.js(wire.js());
    Host dialer = cast.ours(wire.ours());
    Connection outbound = soon(dialer.connect(js.address()));
    assertThat(outbound.peer()).isEqualTo(js.id());
    assertThat(outbound.direction()).isEqualTo(Direction.OUTBOUND);
    JsonNode seen =
        js.await("connected", event -> event.get("peer").asText().equals(dialer.id().toString()));
    assertThat(seen.get("direction").asText()).isEqualTo("inbound");

    Host listener = cast.ours(wire.ours());
    JsonNode dialled = js.call("dial", "address", Cast.fullAddress(listener));
    assertThat(dialled.get("peer").asText()).isEqualTo(listener.id().toString());
    assertThat(dialled.get("security").asText()).isEqualTo(wire.jsSecurity);
    assertThat(dialled.get("muxer").asText()).isEqualTo(wire.jsMuxer);
    Eventually.await("ours has the connection", () -> listener.connections(js.id()).size() == 1);
    assertThat(listener.connections(js.id()).getFirst().direction()).isEqualTo(Direction.INBOUND);
  }

  @ParameterizedTest
  @EnumSource
  void refusesAPeerThatIsNotTheOneDialled(Wire wire) {
    JsPeer js = cast.js(wire.js());
    JsPeer other = cast.js(wire.js());
    Host ours = cast.ours(wire.ours());
    assertThatThrownBy(() -> soon(ours.connect(new PeerAddress(other.id(), js.addresses()))))
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining(js.id().toString());
    assertThat(ours.connections()).isEmpty();

    String wrong = ours.listenAddresses().getFirst().withPeerId(other.id()).toString();
    assertThatThrownBy(() -> js.call("dial", "address", wrong))
        .isInstanceOf(PeerProcessException.class);
    Eventually.await("the refused connection goes", () -> ours.connections().isEmpty());
  }

  @ParameterizedTest
  @EnumSource
  void bytesComeBackAsTheyWent(Wire wire) throws Exception {
    JsPeer js = cast.js(wire.js());
    js.call("handle", "protocol", ECHO.name(), "how", "echo");
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    Stream stream = soon(ours.open(js.id(), ECHO));
    BlockingStream io = stream.blocking();
    byte[] sent = Pattern.bytes(0, TEN_MEGABYTES);
    CompletableFuture<Void> written =
        CompletableFuture.runAsync(() -> {
          for (int at = 0; at < sent.length; at += 50_000) {
            io.write(Pattern.bytes(at, Math.min(50_000, sent.length - at)));
          }
          io.closeWrite();
        });
    assertThat(io.readFully(sent.length)).isEqualTo(sent);
    assertThat(io.read(new byte[1], 0, 1)).as("the end").isEqualTo(-1);
    written.get(60, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @EnumSource
  void jsGetsBackWhatItSendsToOurs(Wire wire) {
    JsPeer js = cast.js(wire.js());
    Host ours = cast.ours(wire.ours());
    ours.handle(ECHO, StreamHandler.blocking((stream, io) -> io.input().transferTo(io.output())));
    js.call("dial", "address", Cast.fullAddress(ours));
    int stream =
        js.call("open", "peer", ours.id().toString(), "protocol", ECHO.name())
            .get("stream")
            .asInt();
    int sending = js.send("sendPattern", "stream", stream, "bytes", TEN_MEGABYTES);
    JsonNode taken = js.call("take", "stream", stream, "bytes", TEN_MEGABYTES);
    js.answer(sending, Duration.ofMinutes(1), "sendPattern");
    assertThat(taken.get("bytes").asInt()).isEqualTo(TEN_MEGABYTES);
    assertThat(taken.get("sha256").asText())
        .isEqualTo(Pattern.sha256(Pattern.bytes(0, TEN_MEGABYTES)));
    js.call("closeWrite", "stream", stream);
    assertThat(js.call("take", "stream", stream).get("ended").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void aReaderOfOursThatStallsHoldsJsBackAndTakesLittleMemory(Wire wire) throws Exception {
    JsPeer js = cast.js(wire.js());
    js.call("handle", "protocol", SOURCE.name(), "how", "source");
    js.call("handle", "protocol", ECHO.name(), "how", "echo");
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    BlockingStream io = soon(ours.open(js.id(), SOURCE)).blocking();
    io.write(ByteBuffer.allocate(8).putLong(TEN_MEGABYTES).array());

    // Others go on meanwhile, and by then js has sent all that it may.
    BlockingStream other = soon(ours.open(js.id(), ECHO)).blocking();
    for (int i = 0; i < 200; i++) {
      other.write(Pattern.bytes(i, 1000));
      assertThat(other.readFully(1000)).isEqualTo(Pattern.bytes(i, 1000));
    }
    assertThat(ours.resources().usage().memoryBytes())
        .as("bytes held for streams that are not read")
        .isLessThan(3 * 1024 * 1024);

    assertThat(io.readFully(TEN_MEGABYTES)).isEqualTo(Pattern.bytes(0, TEN_MEGABYTES));
    assertThat(io.read(new byte[1], 0, 1)).as("the end").isEqualTo(-1);
  }

  @ParameterizedTest
  @EnumSource
  void aReaderOfJsThatStallsHoldsOursBack(Wire wire) throws Exception {
    // js-libp2p's QUIC does not hold its remote back: it resets a stream with 4 MiB unread.
    int bytes = wire == Wire.QUIC ? 2_000_000 : TEN_MEGABYTES;
    JsPeer js = cast.js(wire.js());
    js.call("handle", "protocol", HOLD.name(), "how", "hold");
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    BlockingStream io = soon(ours.open(js.id(), HOLD)).blocking();
    AtomicInteger written = new AtomicInteger();
    CompletableFuture<Void> writing =
        CompletableFuture.runAsync(() -> {
          for (int at = 0; at < bytes; at += 50_000) {
            io.write(Pattern.bytes(at, 50_000));
            written.set(at + 50_000);
          }
          io.closeWrite();
        });
    int stream = js.await("stream", event -> true).get("stream").asInt();
    if (wire != Wire.QUIC) {
      Eventually.await(
          "js has as much as it takes unread",
          () -> js.call("buffered", "stream", stream).get("read").asInt() >= 256 * 1024);
      assertThat(writing).isNotDone();
      assertThat(written).hasValueLessThan(3_000_000);
    }
    JsonNode taken = js.call("take", "stream", stream);
    assertThat(taken.get("bytes").asInt()).isEqualTo(bytes);
    assertThat(taken.get("sha256").asText()).isEqualTo(Pattern.sha256(Pattern.bytes(0, bytes)));
    writing.get(60, TimeUnit.SECONDS);
  }

  /// js-libp2p's QUIC reads whatever comes in its own memory, so its whole thread stops here: what
  /// then holds ours back is QUIC's flow control, kept by the library's native threads.
  @ParameterizedTest
  @EnumSource
  void aPeerOfJsThatStopsReadingHoldsOursBackAndTakesLittleMemory(Wire wire) throws Exception {
    int bytes = 48_000_000;
    JsPeer js = cast.js(wire.js());
    js.call("handle", "protocol", SINK.name(), "how", "sink");
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    BlockingStream io = soon(ours.open(js.id(), SINK)).blocking().timeout(Duration.ofMinutes(3));
    io.write(new byte[50_000]);
    Path thaw = folder.resolve("thaw");
    int freezing = js.send("freeze", "until", thaw.toString());
    js.await("freezing", event -> true);
    AtomicInteger written = new AtomicInteger(50_000);
    long directBefore = PlatformDependent.usedDirectMemory();
    CompletableFuture<Void> writing =
        CompletableFuture.runAsync(() -> {
          for (int at = 50_000; at < bytes; at += 50_000) {
            io.write(new byte[50_000]);
            written.addAndGet(50_000);
          }
          io.closeWrite();
        });
    int before = 0;
    for (int now = written.get(); now != before; now = written.get()) {
      before = now;
      assertThat(writing).isNotDone();
      TimeUnit.MILLISECONDS.sleep(700);
    }
    // A window of QUIC is 10 MB, sockets and buffers hold a little more.
    assertThat(written).as("bytes taken for a peer that reads none").hasValueLessThan(24_000_000);
    assertThat(PlatformDependent.usedDirectMemory() - directBefore)
        .as("memory of sockets and streams")
        .isLessThan(24L * 1024 * 1024);
    assertThat(ours.resources().usage().memoryBytes()).isLessThan(20L * 1024 * 1024);

    Files.createFile(thaw);
    js.answer(freezing, Duration.ofMinutes(1), "freeze");
    writing.get(180, TimeUnit.SECONDS);
    assertThat(ByteBuffer.wrap(io.readFully(8)).getLong()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @EnumSource
  void aHalfClosedStreamStillAnswers(Wire wire) {
    JsPeer js = cast.js(wire.js());
    js.call("handle", "protocol", SINK.name(), "how", "sink");
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    BlockingStream io = soon(ours.open(js.id(), SINK)).blocking();
    io.write(new byte[100_000]);
    io.closeWrite();
    assertThat(ByteBuffer.wrap(io.readFully(8)).getLong()).isEqualTo(100_000);
    assertThat(io.read(new byte[1], 0, 1)).as("the end").isEqualTo(-1);

    ours.handle(
        SINK,
        StreamHandler.blocking((stream, served) -> {
          long count = served.input().readAllBytes().length;
          served.write(("counted " + count).getBytes(StandardCharsets.UTF_8));
          served.closeWrite();
        }));
    int stream =
        js.call("open", "peer", ours.id().toString(), "protocol", SINK.name())
            .get("stream")
            .asInt();
    js.call("sendPattern", "stream", stream, "bytes", 100_000);
    js.call("closeWrite", "stream", stream);
    JsonNode answer = js.call("take", "stream", stream);
    assertThat(text(answer)).isEqualTo("counted 100000");
    assertThat(answer.get("ended").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void aResetIsSeenAsAReset(Wire wire) {
    JsPeer js = cast.js(wire.js());
    js.call("handle", "protocol", RESET.name(), "how", "reset");
    js.call("handle", "protocol", HOLD.name(), "how", "hold");
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));

    BlockingStream reset = soon(ours.open(js.id(), RESET)).blocking();
    // js resets at the first byte, perhaps before the write returns.
    assertThatThrownBy(
            () -> {
              reset.write(new byte[1]);
              reset.read(new byte[1], 0, 1);
            })
        .isInstanceOf(StreamResetException.class);

    Stream stream = soon(ours.open(js.id(), HOLD));
    stream.blocking().write(new byte[10]);
    int held = js.await("stream", event -> true).get("stream").asInt();
    stream.reset();
    if (wire == Wire.QUIC) {
      // js-libp2p's QUIC stream tells its reader of a reset as of an end.
      assertThat(js.call("take", "stream", held, "bytes", 1_000).get("bytes").asInt())
          .isLessThan(1_000);
    } else {
      assertThatThrownBy(() -> js.call("take", "stream", held, "bytes", 1_000))
          .isInstanceOf(PeerProcessException.class)
          .hasMessageContaining("reset");
    }
    assertThat(ours.connections(js.id())).as("the connection stays").hasSize(1);
  }

  @ParameterizedTest
  @EnumSource
  void aProtocolThatIsNotServedIsRefused(Wire wire) {
    JsPeer js = cast.js(wire.js());
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    assertThatThrownBy(
            () -> {
              BlockingStream io =
                  soon(ours.open(js.id(), new ProtocolId("/nobody/1.0.0"))).blocking();
              io.write(new byte[1]);
              io.read(new byte[1], 0, 1);
            })
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining("/nobody/1.0.0");
    assertThatThrownBy(
            () -> js.call("open", "peer", ours.id().toString(), "protocol", "/nobody/1.0.0"))
        .isInstanceOf(PeerProcessException.class);
    Stream chosen =
        soon(
            ours.connections(js.id())
                .getFirst()
                .open(
                    java.util.List.of(
                        new ProtocolId("/nobody/1.0.0"), new ProtocolId("/ipfs/ping/1.0.0"))));
    assertThat(chosen.protocol()).isEqualTo(new ProtocolId("/ipfs/ping/1.0.0"));
  }

  private static String text(JsonNode taken) {
    return new String(HexFormat.of().parseHex(taken.get("head").asText()), StandardCharsets.UTF_8);
  }
}
