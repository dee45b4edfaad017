package io.rigmesh.libp2p.dcutr;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.dcutr.wire.DcutrWire.HolePunch;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.Relay;
import io.rigmesh.libp2p.relay.RelayLimits;
import io.rigmesh.libp2p.relay.RelayTransport;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Relayed connections that become direct ones, between real hosts on loopback; NatNamespacesIT has
/// the routers that make it necessary.
@Timeout(240)
class DcutrIT {
  private static final ProtocolId ECHO = new ProtocolId("/test/echo/1.0.0");
  private static final DcutrSettings SETTINGS =
      new DcutrSettings(true, 3, Duration.ofSeconds(20), Duration.ofSeconds(30));

  /// For attempts that fail.
  private static final DcutrSettings HASTY =
      new DcutrSettings(true, 3, Duration.ofSeconds(2), Duration.ofSeconds(30));

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<AutoCloseable> open = new ArrayList<>();
  private final Host relay = host(HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0"));

  @BeforeEach
  void startRelay() {
    open.add(Relay.start(relay, RelayLimits.defaults()));
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  private Host host(HostBuilder builder) {
    Host host = builder.start();
    open.add(host);
    return host;
  }

  private Host hidden() {
    return relaying(host(HostBuilder.anonymous()));
  }

  private Host listening() {
    return relaying(host(HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0")));
  }

  private static Host relaying(Host host) {
    RelayTransport.start(host);
    host.handle(
        ECHO,
        StreamHandler.blocking((stream, io) -> {
          byte[] bytes = new byte[1024];
          for (int count = io.read(bytes, 0, 1024); count >= 0; count = io.read(bytes, 0, 1024)) {
            io.write(Arrays.copyOf(bytes, count));
          }
        }));
    return host;
  }

  private void upgrading(Host host) {
    open.add(Dcutr.start(host, SETTINGS));
  }

  private Multiaddr circuit() {
    return relay.listenAddresses().getFirst().withPeerId(relay.id()).then("/p2p-circuit");
  }

  private Connection connectThroughRelay(Host from, Host to) throws InterruptedException {
    to.network().listen(circuit()).join();
    Connection connection = from.connect(new PeerAddress(to.id(), List.of(circuit()))).join();
    assertThat(connection.limited()).isTrue();
    await(() -> !to.connections(from.id()).isEmpty(), "the other side has it too");
    return connection;
  }

  private static boolean direct(Host from, PeerId to) {
    return from.connections(to).stream().anyMatch(connection -> !connection.limited());
  }

  private static void await(BooleanSupplier condition, String what) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      Thread.sleep(10);
    }
  }

  @Test
  void aPeerThatCanBeDialledIsDialledInsteadOfPunched() throws Exception {
    Host listener = hidden();
    Host dialler = listening();
    upgrading(listener);
    upgrading(dialler);
    Connection relayed = connectThroughRelay(dialler, listener);
    await(() -> direct(dialler, listener.id()), "a direct connection");
    await(() -> dialler.connections(listener.id()).size() == 1, "the relayed connection is gone");
    assertThat(relayed.isOpen()).isFalse();
    BlockingStream io = dialler.open(listener.id(), ECHO).join().blocking();
    io.write("direct".getBytes(UTF_8));
    assertThat(io.readFully(6)).asString(UTF_8).isEqualTo("direct");
  }

  @Test
  void aRelayedConnectionWaitsForItsStreams() throws Exception {
    Host listener = hidden();
    Host dialler = listening();
    Connection relayed = connectThroughRelay(dialler, listener);
    BlockingStream io = dialler.openLimited(listener.id(), ECHO).join().blocking();
    io.write(new byte[1]);
    io.readFully(1);
    upgrading(listener);
    upgrading(dialler);
    listener.network().dial(dialler.id(), dialler.listenAddresses().getFirst()).join();
    await(() -> direct(dialler, listener.id()), "a direct connection");
    Thread.sleep(2000);
    io.write("still".getBytes(UTF_8));
    assertThat(io.readFully(5)).asString(UTF_8).isEqualTo("still");
    assertThat(relayed.isOpen()).isTrue();
    io.closeWrite();
    assertThat(io.read(new byte[1], 0, 1)).isEqualTo(-1);
    await(() -> !relayed.isOpen(), "closed when the stream has ended");
  }

  @Test
  void theSideThatDialledTheRelayAnswersAndDialsAtTheSignal() throws Exception {
    Host listener = listening();
    Host dialler = listening();
    upgrading(dialler);
    connectThroughRelay(dialler, listener);
    Connection inbound = listener.connections(dialler.id()).getFirst();
    BlockingStream io = inbound.open(List.of(Dcutr.PROTOCOL)).join().blocking().timeout(PATIENCE);
    io.writeMessage(HolePunchMessages.connect(listener.listenAddresses()));
    HolePunch answer = HolePunchMessages.read(io.requireMessage(4096), HolePunch.Type.CONNECT);
    assertThat(HolePunchMessages.addresses(answer))
        .containsExactlyElementsOf(dialler.listenAddresses());
    assertThat(direct(listener, dialler.id())).as("before the signal").isFalse();
    io.writeMessage(HolePunchMessages.sync());
    await(() -> direct(listener, dialler.id()), "dialled at the signal");
    Connection punched =
        listener.connections(dialler.id()).stream()
            .filter(connection -> !connection.limited())
            .findFirst()
            .orElseThrow();
    assertThat(punched.direction()).isEqualTo(Direction.INBOUND);
    assertThat(punched.remoteAddress())
        .as("dialled from the listening port")
        .isEqualTo(dialler.listenAddresses().getFirst());
  }

  @Test
  void theSideThatAcceptedDialsAsServerHalfARoundTripAfterItsSignal() throws Exception {
    Host listener = listening();
    Host dialler = hidden();
    upgrading(listener);
    try (ServerSocket target = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      target.setSoTimeout((int) PATIENCE.toMillis());
      Multiaddr address = Multiaddr.of("/ip4/127.0.0.1/tcp/" + target.getLocalPort());
      AtomicLong answered = new AtomicLong();
      long roundTripMs = 400;
      dialler.handle(
          Dcutr.PROTOCOL,
          StreamHandler.blocking((stream, io) -> {
            HolePunchMessages.read(io.requireMessage(4096), HolePunch.Type.CONNECT);
            Thread.sleep(roundTripMs);
            answered.set(System.nanoTime());
            io.writeMessage(HolePunchMessages.connect(List.of(address)));
            HolePunchMessages.read(io.requireMessage(4096), HolePunch.Type.SYNC);
          }));
      connectThroughRelay(dialler, listener);
      try (Socket punched = target.accept()) {
        // The listener measures no less than what this side has slept.
        long waitedMs = (System.nanoTime() - answered.get()) / 1_000_000;
        assertThat(waitedMs).isGreaterThanOrEqualTo(roundTripMs / 2);
        assertThat(punched.getPort())
            .as("from the listening port")
            .isEqualTo(listener.listenAddresses().getFirst().parts().get(1).number());
        punched.setSoTimeout(300);
        assertThatThrownBy(() -> punched.getInputStream().read())
            .as("a server waits for its client")
            .isInstanceOf(SocketTimeoutException.class);
      }
    }
  }

  @Test
  void aConnectionThatComesBeforeThisSideDialsCounts() throws Exception {
    Host listener = listening();
    Host dialler = hidden();
    open.add(Dcutr.start(listener, new DcutrSettings(true, 3, PATIENCE, Duration.ofSeconds(30))));
    AtomicInteger attempts = new AtomicInteger();
    dialler.handle(
        Dcutr.PROTOCOL,
        StreamHandler.blocking((stream, io) -> {
          attempts.incrementAndGet();
          io.requireMessage(4096);
          // Before the other side has even heard of the addresses at which it is to dial.
          dialler.network().dial(listener.id(), listener.listenAddresses().getFirst()).join();
          io.writeMessage(HolePunchMessages.connect(List.of(Multiaddr.of("/ip4/127.0.0.1/tcp/1"))));
          io.requireMessage(4096);
        }));
    Connection relayed = connectThroughRelay(dialler, listener);
    await(() -> direct(listener, dialler.id()), "a direct connection");
    await(() -> !relayed.isOpen(), "the relayed connection is closed");
    await(() -> listener.connections(dialler.id()).size() == 1, "and gone on the other side");
    assertThat(attempts).hasValue(1);
  }

  @Test
  void afterThreeFailedAttemptsTheRelayedConnectionStays() throws Exception {
    Host listener = listening();
    Host dialler = hidden();
    open.add(Dcutr.start(listener, HASTY));
    AtomicInteger attempts = new AtomicInteger();
    dialler.handle(
        Dcutr.PROTOCOL,
        StreamHandler.blocking((stream, io) -> {
          attempts.incrementAndGet();
          io.requireMessage(4096);
          io.writeMessage(HolePunchMessages.connect(List.of(Multiaddr.of("/ip4/127.0.0.1/tcp/1"))));
          io.requireMessage(4096);
        }));
    Connection relayed = connectThroughRelay(dialler, listener);
    await(() -> attempts.get() == 3, "three attempts");
    Thread.sleep(HASTY.attemptTime().toMillis() + 500);
    assertThat(attempts).hasValue(3);
    assertThat(relayed.isOpen()).isTrue();
    BlockingStream io = dialler.openLimited(listener.id(), ECHO).join().blocking();
    io.write(new byte[1]);
    assertThat(io.readFully(1)).hasSize(1);
  }

  @Test
  void aHoleIsPunchedOnlyWhereAConnectionIsRelayed() {
    Host listener = listening();
    upgrading(listener);
    Host dialler = hidden();
    dialler.connect(new PeerAddress(listener.id(), listener.listenAddresses())).join();
    BlockingStream io = dialler.open(listener.id(), Dcutr.PROTOCOL).join().blocking();
    // The stream may be reset before the write returns.
    assertThatThrownBy(
            () -> {
              io.writeMessage(HolePunchMessages.connect(List.of()));
              io.requireMessage(4096);
            })
        .isInstanceOf(StreamResetException.class);
  }

  @Test
  void privateAddressesAreNeitherToldNorDialledByDefault() throws Exception {
    Host listener = listening();
    Host dialler = listening();
    open.add(Dcutr.start(dialler, DcutrSettings.defaults()));
    connectThroughRelay(dialler, listener);
    BlockingStream io =
        listener
            .connections(dialler.id())
            .getFirst()
            .open(List.of(Dcutr.PROTOCOL))
            .join()
            .blocking();
    try (ServerSocket trap = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      trap.setSoTimeout(1500);
      io.writeMessage(
          HolePunchMessages.connect(
              List.of(Multiaddr.of("/ip4/127.0.0.1/tcp/" + trap.getLocalPort()))));
      HolePunch answer = HolePunchMessages.read(io.requireMessage(4096), HolePunch.Type.CONNECT);
      assertThat(answer.getObsAddrsCount()).isZero();
      io.writeMessage(HolePunchMessages.sync());
      assertThatThrownBy(trap::accept).isInstanceOf(SocketTimeoutException.class);
    }
  }
}
