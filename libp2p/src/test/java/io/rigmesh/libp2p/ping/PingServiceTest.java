package io.rigmesh.libp2p.ping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PingServiceTest {
  private final Host near = HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start();
  private final Host far = HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start();
  private Connection connection;

  @BeforeEach
  void connect() {
    connection = join(near.connect(new PeerAddress(far.id(), far.addresses())));
  }

  @AfterEach
  void close() {
    near.close();
    far.close();
  }

  private static <T> T join(CompletableFuture<T> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Test
  void aPingMeasuresARoundTripEitherWay() {
    for (int i = 0; i < 20; i++) {
      assertThat(join(near.ping().ping(far.id())))
          .isBetween(Duration.ofNanos(1), Duration.ofSeconds(10));
      assertThat(join(far.ping().ping(near.id()))).isPositive();
    }
  }

  @Test
  void aPeerThatPingsWithAStreamForEachIsNotTakenForOneWithManyOpen() {
    for (int i = 0; i < 300; i++) {
      assertThat(join(near.ping().ping(far.id()))).isPositive();
    }
  }

  @Test
  void callersThatPingAPeerAtTheSameTimeShareOneStream() {
    List<CompletableFuture<Duration>> pings =
        java.util.stream.IntStream.range(0, 50).mapToObj(i -> near.ping().ping(far.id())).toList();
    pings.forEach(PingServiceTest::join);
  }

  @Test
  void manyPayloadsAreEchoedOnOneStreamUntilItsEnd() {
    BlockingStream io = join(connection.open(List.of(PingService.PROTOCOL))).blocking();
    for (int i = 0; i < 100; i++) {
      byte[] payload = new byte[32];
      payload[i % 32] = (byte) i;
      // In two pieces, so that an echo of what has come so far would show.
      io.write(java.util.Arrays.copyOf(payload, 5));
      io.write(java.util.Arrays.copyOfRange(payload, 5, 32));
      assertThat(io.readFully(32)).isEqualTo(payload);
    }
    io.closeWrite();
    assertThat(io.read(new byte[1], 0, 1)).isEqualTo(-1);
  }

  @Test
  void aThirdInboundStreamOfAPeerIsReset() {
    BlockingStream first = join(connection.open(List.of(PingService.PROTOCOL))).blocking();
    BlockingStream second = join(connection.open(List.of(PingService.PROTOCOL))).blocking();
    for (BlockingStream io : List.of(first, second)) {
      io.write(new byte[32]);
      io.readFully(32);
    }
    BlockingStream third = join(connection.open(List.of(PingService.PROTOCOL))).blocking();
    assertThatThrownBy(
            () -> {
              third.write(new byte[32]);
              third.readFully(32);
            })
        .isInstanceOf(StreamResetException.class);
    first.closeWrite();
    assertThat(first.read(new byte[1], 0, 1)).isEqualTo(-1);
    assertThat(join(near.ping().ping(far.id()))).isPositive();
  }

  @Test
  void anEchoOfOtherBytesIsMisbehaviour() {
    far.ping().close();
    far.handle(
        PingService.PROTOCOL,
        StreamHandler.blocking((stream, io) -> {
          io.readFully(32);
          io.write(new byte[32]);
        }));
    assertThatThrownBy(() -> join(near.ping().ping(far.id())))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("other bytes");
  }

  @Test
  void aPeerThatDoesNotSpeakPingFailsThePing() {
    far.ping().close();
    assertThatThrownBy(() -> join(near.ping().ping(far.id())))
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining(PingService.PROTOCOL.name());
  }

  @Test
  void aStreamThatEndsInsideAPayloadIsReset() {
    BlockingStream io =
        join(connection.open(List.of(PingService.PROTOCOL, new ProtocolId("/none")))).blocking();
    io.write(new byte[31]);
    io.closeWrite();
    assertThatThrownBy(() -> io.read(new byte[1], 0, 1)).isInstanceOf(StreamResetException.class);
  }
}
