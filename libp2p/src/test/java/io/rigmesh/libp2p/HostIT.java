package io.rigmesh.libp2p;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostIT {
  private static final ProtocolId ECHO = new ProtocolId("/test/echo/1.0.0");

  private final List<Host> hosts = new ArrayList<>();

  @AfterEach
  void closeHosts() {
    hosts.forEach(Host::close);
  }

  private Host host() {
    return host(HostBuilder.anonymous());
  }

  private Host host(HostBuilder builder) {
    Host host = builder.listen("/ip4/127.0.0.1/tcp/0").withoutQuic().start();
    hosts.add(host);
    host.handle(ECHO, StreamHandler.blocking((stream, io) -> io.input().transferTo(io.output())));
    return host;
  }

  private static PeerAddress addressOf(Host host) {
    return new PeerAddress(host.id(), host.listenAddresses());
  }

  private static <T> T soon(CompletableFuture<T> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Test
  void echoesOverASecuredStreamInBothDirections() {
    Host one = host();
    Host other = host();
    Connection connection = soon(one.connect(addressOf(other)));
    assertThat(connection.peer()).isEqualTo(other.id());
    assertThat(connection.security()).isEqualTo("/noise");
    assertThat(connection.muxer()).isEqualTo("/yamux/1.0.0");
    Eventually.await("the other side has it too", () -> other.connections(one.id()).size() == 1);
    for (Host[] pair : new Host[][] {{one, other}, {other, one}}) {
      Stream stream = soon(pair[0].open(pair[1].id(), ECHO));
      BlockingStream io = stream.blocking();
      io.write("across".getBytes(UTF_8));
      io.closeWrite();
      assertThat(io.readFully(6)).isEqualTo("across".getBytes(UTF_8));
      assertThat(io.read(new byte[1], 0, 1)).isEqualTo(-1);
      soon(stream.close());
    }
    assertThat(one.connections()).hasSize(1);
  }

  @Test
  void messageThatComesByteByByteIsGivenUpInTime() {
    Host one = host();
    Host other = host();
    ProtocolId trickle = new ProtocolId("/test/trickle/1.0.0");
    other.handle(
        trickle,
        StreamHandler.blocking((_, io) -> {
          // A length of 10,000 bytes, which would take more than eight minutes.
          io.write(new byte[] {(byte) 0x90, 0x4e});
          while (true) {
            io.write(new byte[1]);
            Thread.sleep(50);
          }
        }));
    soon(one.connect(addressOf(other)));
    Stream stream = soon(one.open(other.id(), trickle));
    BlockingStream io = stream.blocking().timeout(Duration.ofSeconds(2));
    long begun = System.nanoTime();
    assertThatThrownBy(() -> io.readMessage(20_000)).isInstanceOf(StreamTimeoutException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(60));
    stream.reset();
  }

  @Test
  void tenMegabytesComeBackAsTheyWent() throws Exception {
    Host one = host();
    Host other = host();
    soon(one.connect(addressOf(other)));
    Stream stream = soon(one.open(other.id(), ECHO));
    BlockingStream io = stream.blocking();
    byte[] sent = new byte[10_000_000];
    new Random(7).nextBytes(sent);
    Thread writer =
        Thread.startVirtualThread(() -> {
          for (int at = 0; at < sent.length; at += 50_000) {
            io.write(Arrays.copyOfRange(sent, at, at + 50_000));
          }
          io.closeWrite();
        });
    assertThat(io.readFully(sent.length)).isEqualTo(sent);
    assertThat(io.read(new byte[1], 0, 1)).isEqualTo(-1);
    writer.join();
  }

  @Test
  void anotherPeerAtTheAddressFailsTheDial() {
    Host one = host();
    Host other = host();
    PeerId somebody = PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
    assertThatThrownBy(() -> soon(one.connect(new PeerAddress(somebody, other.listenAddresses()))))
        .hasMessageContaining("Cannot reach " + somebody)
        .hasMessageContaining(other.id().toString());
    Eventually.await("the other forgets it", () -> other.connections().isEmpty());
    assertThat(one.connections()).isEmpty();
  }

  @Test
  void aProtocolThatTheRemoteLacksIsRefusedByName() {
    Host one = host();
    Host other = host();
    soon(one.connect(addressOf(other)));
    ProtocolId lacking = new ProtocolId("/test/lacking/1.0.0");
    Stream lazy = soon(one.open(other.id(), lacking));
    assertThatThrownBy(() -> lazy.blocking().readFully(1))
        .isInstanceOf(StreamResetException.class)
        .hasMessageContaining("The remote speaks none of " + lacking);
    assertThatThrownBy(
            () -> soon(one.open(other.id(), lacking, new ProtocolId("/test/lacking/2.0.0"))))
        .hasMessageContaining("The remote speaks none of " + lacking);
    Stream second = soon(one.open(other.id(), lacking, ECHO));
    assertThat(second.protocol()).isEqualTo(ECHO);
  }

  @Test
  void aResetReachesTheRemote() {
    Host one = host();
    Host other = host();
    ProtocolId waits = new ProtocolId("/test/waits/1.0.0");
    CompletableFuture<Throwable> seen = new CompletableFuture<>();
    other.handle(
        waits,
        StreamHandler.blocking((stream, io) -> {
          try {
            io.readFully(2);
          } catch (Libp2pException e) {
            seen.complete(e);
            throw e;
          }
        }));
    soon(one.connect(addressOf(other)));
    Stream stream = soon(one.open(other.id(), waits));
    stream.blocking().write(new byte[1]);
    Eventually.await(
        "the remote has the stream",
        () ->
            other.connections().stream()
                .flatMap(connection -> connection.streams().stream())
                .anyMatch(open -> open.protocol().equals(waits)));
    stream.reset();
    assertThat(soon(seen)).isInstanceOf(StreamResetException.class);
  }

  @Test
  void aDeadAddressDoesNotHinderALivingOne() throws Exception {
    Host one = host();
    Host other = host();
    // Bound and not listening: nobody else can take the port meanwhile.
    try (Socket closed = new Socket()) {
      closed.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      List<Multiaddr> addresses = new ArrayList<>(other.listenAddresses());
      addresses.addFirst(Multiaddr.of("/ip4/127.0.0.1/tcp/" + closed.getLocalPort()));
      assertThat(soon(one.connect(new PeerAddress(other.id(), addresses))).isOpen()).isTrue();
    }
  }

  @Test
  void callersShareOneDial() {
    Host one = host();
    Host other = host();
    List<CompletableFuture<Connection>> dials = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      dials.add(one.connect(addressOf(other)));
    }
    assertThat(dials.stream().map(HostIT::soon).distinct()).hasSize(1);
    assertThat(one.connections()).hasSize(1);
  }

  @Test
  void cancelledDialsAndClosedHostsLeaveNoSockets() throws Exception {
    host().close();
    long before = OpenDescriptors.sockets();
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Host one = host();
      PeerId somebody = PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
      for (int i = 0; i < 20; i++) {
        CompletableFuture<Connection> dial =
            one.connect(
                PeerAddress.of("/ip4/127.0.0.1/tcp/" + silent.getLocalPort() + "/p2p/" + somebody));
        if (i % 2 == 0) {
          Eventually.await(
              "a socket is open", () -> one.resources().usage().outboundConnections() > 0);
        }
        dial.cancel(true);
        Eventually.await(
            "nothing is counted", () -> one.resources().usage().outboundConnections() == 0);
      }
      one.close();
    }
    Eventually.await(
        "descriptors are back where they were", () -> OpenDescriptors.sockets() <= before);
  }

  @Test
  void aSilentHandshakeEndsInTime() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Host one = host(HostBuilder.anonymous().handshakeTimeout(Duration.ofMillis(300)));
      PeerId somebody = PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
      assertThatThrownBy(() ->
              soon(
                  one.connect(
                      PeerAddress.of(
                          "/ip4/127.0.0.1/tcp/" + silent.getLocalPort() + "/p2p/" + somebody))))
          .hasMessageContaining("The handshake with");
    }
  }

  @Test
  void listeningTwiceOnAPortSaysSoAndLeavesNothingOpen() {
    Host one = host(HostBuilder.anonymous());
    String taken = one.listenAddresses().getFirst().toString().replace("127.0.0.1", "203.0.113.1");
    assertThatThrownBy(() -> HostBuilder.anonymous().listen(taken).withoutQuic().start())
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining("Cannot listen on " + taken);
  }

  @Test
  void tlsServesWhereTheRemoteLacksNoise() {
    Host one = host();
    Host other = host(HostBuilder.anonymous().securities(Security.TLS));
    assertThat(soon(one.connect(addressOf(other))).security()).isEqualTo("/tls/1.0.0");
  }

  @Test
  void quicReachesTheSamePeerByUdpAlone() {
    Host one = HostBuilder.anonymous().listen("/ip4/127.0.0.1/udp/0/quic-v1").start();
    Host other = HostBuilder.anonymous().listen("/ip4/127.0.0.1/udp/0/quic-v1").start();
    hosts.addAll(List.of(one, other));
    other.handle(ECHO, StreamHandler.blocking((stream, io) -> io.input().transferTo(io.output())));
    Connection connection = soon(one.connect(addressOf(other)));
    assertThat(connection.remoteAddress().toString()).endsWith("/quic-v1");
    BlockingStream io = soon(one.open(other.id(), ECHO)).blocking();
    byte[] sent = new byte[1_000_000];
    new Random(8).nextBytes(sent);
    Thread.startVirtualThread(() -> {
      io.write(sent);
      io.closeWrite();
    });
    assertThat(io.readFully(sent.length)).isEqualTo(sent);
    assertThat(io.read(new byte[1], 0, 1)).isEqualTo(-1);
  }
}
