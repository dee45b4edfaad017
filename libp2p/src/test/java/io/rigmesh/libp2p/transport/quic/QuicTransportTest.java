package io.rigmesh.libp2p.transport.quic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.EventExecutor;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.tls.ForgedCertificates;
import io.rigmesh.libp2p.tls.HostCertificate;
import io.rigmesh.libp2p.transport.BufferLeaks;
import io.rigmesh.libp2p.transport.Echo;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.IpAddresses;
import io.rigmesh.libp2p.transport.Listener;
import io.rigmesh.libp2p.transport.RecordingAcceptor;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.StreamProbe;
import java.io.File;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Two transports in one process over loopback.
@ExtendWith(BufferLeaks.class)
@Timeout(300)
class QuicTransportTest {
  private static final Multiaddr LOOPBACK = Multiaddr.of("/ip4/127.0.0.1/udp/0/quic-v1");

  private final EventLoops loops = new EventLoops(2);
  private final Ed25519PrivateKey serverKey = Ed25519PrivateKey.generate(new SecureRandom());
  private final Ed25519PrivateKey clientKey = Ed25519PrivateKey.generate(new SecureRandom());
  private final PeerId serverId = PeerId.of(serverKey.publicKey());
  private final QuicTransport server = patient(serverKey);
  private final QuicTransport client = patient(clientKey);
  private final RecordingAcceptor accepting = new RecordingAcceptor();
  private final RecordingAcceptor dialling = new RecordingAcceptor();
  private final List<QuicTransport> others = new ArrayList<>();

  /// Forty handshakes at once take their time on a busy machine.
  private QuicTransport patient(Ed25519PrivateKey key) {
    return new QuicTransport(
        loops,
        HostCertificate.issue(key),
        QuicSocket.UNPROVEN_HANDSHAKES_MAX,
        new QuicTimeouts(
            Duration.ofSeconds(60),
            Duration.ofSeconds(60),
            Duration.ofSeconds(60),
            Duration.ofSeconds(15)));
  }

  @AfterEach
  void close() {
    client.close();
    server.close();
    others.forEach(QuicTransport::close);
    loops.close();
  }

  @Test
  void bothSidesLearnTheOthersKey() throws Exception {
    Multiaddr address = listen(server, LOOPBACK, accepting);
    SecuredConnection out = dial(client, address, serverId);
    SecuredConnection in = accepting.awaitConnection();
    assertThat(out.remoteKey()).isEqualTo(serverKey.publicKey());
    assertThat(in.remoteKey()).isEqualTo(clientKey.publicKey());
    assertThat(out.remoteAddress()).isEqualTo(address);
    assertThat(in.localAddress()).isEqualTo(address);
    assertThat(in.remoteAddress()).isEqualTo(out.localAddress());
    assertThat(out.security()).isEqualTo("/quic-v1");
    assertThat(out.muxer()).isEqualTo("/quic-v1");
    assertThat(out.limited()).isFalse();
    assertThat(accepting.memoryBytes()).isEqualTo(QuicSocket.CONNECTION_WINDOW_BYTES);
  }

  @Test
  void streamsOpenFromBothSides() throws Exception {
    accepting.serving(Echo::serve);
    dialling.serving(Echo::serve);
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    SecuredConnection in = accepting.awaitConnection();
    for (SecuredConnection side : List.of(out, in)) {
      StreamProbe probe = open(side).write(bytes("hello")).readAll();
      probe.stream().shutdownOutput();
      assertThat(probe.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("hello");
      probe.awaitInactive();
    }
  }

  @Test
  void tenMegabytesComeBackUnchanged() throws Exception {
    accepting.serving(Echo::serve);
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    byte[] data = new byte[10 << 20];
    new Random(1).nextBytes(data);
    StreamProbe probe = open(out).readAll();
    for (int at = 0; at < data.length; at += 100_000) {
      int count = Math.min(100_000, data.length - at);
      probe.stream().write(Unpooled.copiedBuffer(data, at, count));
    }
    probe.stream().flush();
    probe.stream().shutdownOutput();
    assertThat(probe.awaitEnd()).isEqualTo(data);
  }

  @Test
  void aReaderThatStallsStopsTheWriter() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    StreamProbe writer = open(out);
    long written = 0;
    byte[] chunk = new byte[16 * 1024];
    while (writer.stream().isWritable() || settles(writer.stream()::isWritable)) {
      writer.stream().writeAndFlush(Unpooled.wrappedBuffer(chunk)).await(100);
      written += chunk.length;
      assertThat(written).as("bytes that nobody reads").isLessThan(4 << 20);
    }
    StreamProbe reader = StreamProbe.attach(accepting.awaitStream());
    assertThat(reader.received()).isEmpty();
    writer.stream().shutdownOutput();
    assertThat(reader.readAll().awaitEnd()).hasSize((int) written);
  }

  @Test
  void oneReadBringsOneMessage() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    open(out).write(bytes("one"));
    DuplexChannel in = accepting.awaitStream();
    StreamProbe probe = StreamProbe.attach(in);
    assertThat(settles(() -> probe.received().length > 0)).isFalse();
    in.read();
    probe.awaitSome();
    assertThat(probe.received()).asString(StandardCharsets.UTF_8).isEqualTo("one");
  }

  @Test
  void aHalfClosedStreamGoesOnInTheOtherDirection() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    StreamProbe asker = open(out).write(bytes("question"));
    asker.stream().shutdownOutput().await();
    StreamProbe answerer = StreamProbe.attach(accepting.awaitStream()).readAll();
    assertThat(answerer.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("question");
    assertThat(answerer.stream().isInputShutdown()).isTrue();
    assertThat(answerer.stream().isActive()).isTrue();
    answerer.write(bytes("answer"));
    answerer.stream().shutdownOutput();
    assertThat(asker.readAll().awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("answer");
    asker.awaitInactive();
    answerer.awaitInactive();
  }

  @Test
  void whatIsWrittenBeforeTheEndIsSentBeforeTheEnd() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    byte[] data = new byte[3 << 20];
    new Random(2).nextBytes(data);
    StreamProbe writer = open(out).write(data);
    ChannelFuture ended = writer.stream().shutdownOutput();
    ChannelFuture again = writer.stream().shutdownOutput();
    assertThat(settles(() -> ended.isDone() || writer.stream().isOutputShutdown())).isFalse();
    assertThatThrownBy(() -> writer.stream().writeAndFlush(Unpooled.copiedBuffer(data)).sync())
        .isInstanceOf(IllegalStateException.class);
    StreamProbe reader = StreamProbe.attach(accepting.awaitStream()).readAll();
    assertThat(reader.awaitEnd()).isEqualTo(data);
    ended.sync();
    again.sync();
    assertThat(writer.stream().isOutputShutdown()).isTrue();
  }

  @Test
  void aCloseWithUnsentBytesIsAResetAndNoCleanEnd() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    StreamProbe writer = open(out).write(new byte[8 << 20]);
    StreamProbe reader = StreamProbe.attach(accepting.awaitStream());
    writer.stream().close().sync();
    reader.readAll();
    assertThat(reader.awaitFailure()).isInstanceOf(StreamResetException.class);
    assertThat(reader.hasEnded()).isFalse();
  }

  @Test
  void aCloseWithEverythingSentIsACleanEnd() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    StreamProbe writer = open(out);
    writer.stream().writeAndFlush(Unpooled.copiedBuffer(bytes("all"))).sync();
    writer.stream().close().sync();
    StreamProbe reader = StreamProbe.attach(accepting.awaitStream()).readAll();
    assertThat(reader.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("all");
  }

  @Test
  void aResetIsSeenWithoutAReadOnceAllBytesAreRead() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    StreamProbe resetter = open(out).write(bytes("x"));
    StreamProbe other = StreamProbe.attach(accepting.awaitStream());
    other.stream().read();
    other.awaitSome();
    out.session().reset(resetter.stream());
    resetter.awaitInactive();
    assertThat(other.awaitFailure()).isInstanceOf(StreamResetException.class);
    other.awaitInactive();
    assertThat(other.stream().isActive()).isFalse();
  }

  @Test
  void aStreamStoppedByItsReaderFailsItsWriter() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    StreamProbe writer = open(out).write(bytes("x"));
    DuplexChannel reader = accepting.awaitStream();
    reader.shutdownInput().sync();
    assertThat(
            eventually(() -> {
              var written = writer.stream().writeAndFlush(Unpooled.copiedBuffer(bytes("more")));
              written.awaitUninterruptibly(5, TimeUnit.SECONDS);
              return written.isDone() && !written.isSuccess();
            }))
        .isTrue();
    // The other direction goes on.
    reader.writeAndFlush(Unpooled.copiedBuffer(bytes("still"))).sync();
    reader.shutdownOutput();
    assertThat(writer.readAll().awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("still");
  }

  @Test
  void moreResetStreamsThanMayBeOpenLeaveNothingBehind() throws Exception {
    assertThat(ClosedStreams.possible()).isTrue();
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    SecuredConnection in = accepting.awaitConnection();
    for (int i = 0; i < QuicSocket.STREAMS_MAX + 50; i++) {
      DuplexChannel stream = out.session().open().get(60, TimeUnit.SECONDS);
      stream.writeAndFlush(Unpooled.copiedBuffer(bytes("x"))).sync();
      DuplexChannel accepted = accepting.awaitStream();
      StreamProbe.attach(accepted).readAll();
      if (i % 2 == 0) {
        out.session().reset(stream);
      } else {
        in.session().reset(accepted);
      }
      accepted.closeFuture().await(60, TimeUnit.SECONDS);
      stream.closeFuture().await(60, TimeUnit.SECONDS);
    }
    assertThat(eventually(() -> kept(out) == 0 && kept(in) == 0)).isTrue();
    // And streams still work.
    StreamProbe last = open(out).write(bytes("last"));
    StreamProbe lastIn = StreamProbe.attach(accepting.awaitStream()).readAll();
    last.stream().shutdownOutput();
    assertThat(lastIn.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("last");
  }

  @Test
  void opensNoMoreStreamsThanTheRemoteAllowsAndGoesOnWhenSomeHaveEnded() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    List<StreamProbe> streams = new ArrayList<>();
    for (int i = 0; i < QuicSocket.STREAMS_MAX; i++) {
      streams.add(open(out).write(bytes("x")));
    }
    for (int i = 0; i < 300; i++) {
      assertThatThrownBy(() -> out.session().open().get(60, TimeUnit.SECONDS))
          .hasCauseInstanceOf(Libp2pException.class)
          .hasMessageContaining("allows no more open streams");
    }
    List<DuplexChannel> accepted = new ArrayList<>();
    for (int i = 0; i < QuicSocket.STREAMS_MAX; i++) {
      accepted.add(accepting.awaitStream());
      StreamProbe.attach(accepted.getLast()).readAll();
    }
    streams.forEach(stream -> out.session().reset(stream.stream()));
    for (DuplexChannel stream : accepted) {
      assertThat(stream.closeFuture().await(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(
            eventually(() -> {
              CompletableFuture<DuplexChannel> again = out.session().open();
              return again.handle((stream, failure) -> failure == null).join();
            }))
        .isTrue();
  }

  @Test
  void aWrongPeerIdFailsTheDial() throws Exception {
    Multiaddr address = listen(server, LOOPBACK, accepting);
    PeerId other = PeerId.of(clientKey.publicKey());
    assertThatThrownBy(() -> dial(client, address, other))
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("The remote is " + serverId + ", not the expected " + other);
    assertThat(accepting.awaitFailure()).isInstanceOf(Libp2pException.class);
    assertThat(eventually(() -> accepting.open() == 0)).isTrue();
  }

  @Test
  void concurrentDialsDoNotMixUpTheirExpectations() throws Exception {
    Multiaddr address = listen(server, LOOPBACK, accepting);
    PeerId wrong = PeerId.of(clientKey.publicKey());
    List<CompletableFuture<SecuredConnection>> right = new ArrayList<>();
    List<CompletableFuture<SecuredConnection>> bad = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      right.add(client.dial(address, serverId, dialling.scope(), dialling.streams()));
      bad.add(client.dial(address, wrong, dialling.scope(), dialling.streams()));
    }
    for (CompletableFuture<SecuredConnection> dial : right) {
      assertThat(dial.get(60, TimeUnit.SECONDS).remoteKey()).isEqualTo(serverKey.publicKey());
    }
    for (CompletableFuture<SecuredConnection> dial : bad) {
      assertThatThrownBy(() -> dial.get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("not the expected");
    }
  }

  @Test
  void dialsFromItsListeningPort() throws Exception {
    Multiaddr serverAddress = listen(server, LOOPBACK, accepting);
    Multiaddr clientAddress = listen(client, LOOPBACK, dialling);
    dial(client, serverAddress, serverId);
    SecuredConnection in = accepting.awaitConnection();
    assertThat(in.remoteAddress()).isEqualTo(clientAddress);
    // And accepts over the same socket, also from the peer that it is connected to.
    SecuredConnection back =
        server
            .dial(
                clientAddress,
                PeerId.of(clientKey.publicKey()),
                accepting.scope(),
                accepting.streams())
            .get(60, TimeUnit.SECONDS);
    SecuredConnection backIn = dialling.awaitConnection();
    assertThat(backIn.remoteAddress()).isEqualTo(serverAddress);
    dialling.serving(Echo::serve);
    StreamProbe probe = open(back).write(bytes("both ways")).readAll();
    probe.stream().shutdownOutput();
    assertThat(probe.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("both ways");
  }

  @Test
  void dialsFromAWildcardSocketAndNamesItsRealAddress() throws Exception {
    Multiaddr serverAddress = listen(server, LOOPBACK, accepting);
    Multiaddr clientAddress = listen(client, Multiaddr.of("/ip4/0.0.0.0/udp/0/quic-v1"), dialling);
    SecuredConnection out = dial(client, serverAddress, serverId);
    int port = IpAddresses.socketAddress(clientAddress).getPort();
    Multiaddr real = Multiaddr.of("/ip4/127.0.0.1/udp/" + port + "/quic-v1");
    assertThat(out.localAddress()).isEqualTo(real);
    assertThat(accepting.awaitConnection().remoteAddress()).isEqualTo(real);
  }

  @Test
  void ip4AndIp6ShareAPort() throws Exception {
    Multiaddr four = listen(server, Multiaddr.of("/ip4/0.0.0.0/udp/0/quic-v1"), accepting);
    int port = IpAddresses.socketAddress(four).getPort();
    Multiaddr six = listen(server, Multiaddr.of("/ip6/::/udp/" + port + "/quic-v1"), accepting);
    assertThat(IpAddresses.socketAddress(six).getPort()).isEqualTo(port);
    dial(client, Multiaddr.of("/ip6/::1/udp/" + port + "/quic-v1"), serverId);
    SecuredConnection in = accepting.awaitConnection();
    assertThat(in.remoteAddress().toString()).startsWith("/ip6/::1/udp/");
    dial(client, Multiaddr.of("/ip4/127.0.0.1/udp/" + port + "/quic-v1"), serverId);
    assertThat(accepting.awaitConnection().remoteAddress().toString())
        .startsWith("/ip4/127.0.0.1/udp/");
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    Multiaddr taken = listen(server, LOOPBACK, accepting);
    assertThatThrownBy(() -> listen(client, taken, dialling))
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("Cannot listen on " + taken);
  }

  @Test
  void cancelledDialsLeaveNoSockets() throws Exception {
    dial(client, listen(server, LOOPBACK, accepting), serverId).session().close().join();
    assertThat(eventually(() -> accepting.open() == 0)).isTrue();
    int before = descriptors();
    // Nobody answers there.
    try (DatagramSocket silent = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0))) {
      Multiaddr address = Multiaddr.of("/ip4/127.0.0.1/udp/" + silent.getLocalPort() + "/quic-v1");
      List<CompletableFuture<SecuredConnection>> dials = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        dials.add(client.dial(address, serverId, dialling.scope(), dialling.streams()));
      }
      assertThat(eventually(() -> descriptors() >= before + 50)).isTrue();
      dials.forEach(dial -> dial.cancel(true));
      // At once, too.
      client.dial(address, serverId, dialling.scope(), dialling.streams()).cancel(true);
    }
    assertThat(eventually(() -> descriptors() <= before))
        .as("descriptors: %d before, %d after", before, descriptors())
        .isTrue();
  }

  @Test
  void aSilentRemoteFailsTheDialInTime() throws Exception {
    try (DatagramSocket silent = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0))) {
      Multiaddr address = Multiaddr.of("/ip4/127.0.0.1/udp/" + silent.getLocalPort() + "/quic-v1");
      QuicTransport hasty =
          transport(
              clientKey,
              new QuicTimeouts(
                  Duration.ofSeconds(1),
                  Duration.ofSeconds(15),
                  Duration.ofSeconds(30),
                  Duration.ofSeconds(15)));
      assertThatThrownBy(() -> dial(hasty, address, serverId))
          .hasMessageContaining("did not answer within 1000 ms");
      assertThat(eventually(() -> hasty.socketCount() == 0)).isTrue();
    }
  }

  @Test
  void eightyConnectionsReturnToTheStart() throws Exception {
    accepting.serving(Echo::serve);
    Multiaddr address = listen(server, LOOPBACK, accepting);
    dial(client, address, serverId).session().close().join();
    assertThat(eventually(() -> accepting.open() == 0)).isTrue();
    int before = descriptors();
    for (int round = 0; round < 2; round++) {
      List<CompletableFuture<SecuredConnection>> dials = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        dials.add(client.dial(address, serverId, dialling.scope(), dialling.streams()));
      }
      for (CompletableFuture<SecuredConnection> dial : dials) {
        SecuredConnection connection = dial.get(60, TimeUnit.SECONDS);
        StreamProbe probe = open(connection).write(bytes("x")).readAll();
        probe.stream().shutdownOutput();
        assertThat(probe.awaitEnd()).hasSize(1);
        connection.session().close().get(60, TimeUnit.SECONDS);
      }
    }
    assertThat(eventually(() -> accepting.open() == 0)).isTrue();
    assertThat(accepting.memoryBytes()).isZero();
    assertThat(eventually(() -> descriptors() <= before))
        .as("descriptors: %d before, %d after", before, descriptors())
        .isTrue();
    assertThat(eventually(() -> client.socketCount() == 0)).isTrue();
    assertThat(eventually(() -> server.connectionCount() == 0)).isTrue();
  }

  @Test
  void aCloseIsSeenByTheRemoteWithItsReason() throws Exception {
    SecuredConnection out = dial(client, listen(server, LOOPBACK, accepting), serverId);
    SecuredConnection in = accepting.awaitConnection();
    StreamProbe probe = open(out).write(bytes("x"));
    StreamProbe other = StreamProbe.attach(accepting.awaitStream());
    ((QuicSession) out.session()).close(42, "so long").get(60, TimeUnit.SECONDS);
    assertThat(in.session().closed().get(60, TimeUnit.SECONDS))
        .isEqualTo("closed by the remote with code 42: so long");
    assertThat(out.session().closed().get(60, TimeUnit.SECONDS))
        .isEqualTo("closed by this host: so long");
    assertThat(probe.awaitFailure()).isInstanceOf(StreamResetException.class);
    assertThat(other.awaitFailure()).isInstanceOf(StreamResetException.class);
    assertThatThrownBy(() -> out.session().open().get(60, TimeUnit.SECONDS))
        .hasMessageContaining("The connection is closed");
  }

  @Test
  void connectionsOutliveTheirListener() throws Exception {
    accepting.serving(Echo::serve);
    Listener listener = server.listen(LOOPBACK, accepting).get(60, TimeUnit.SECONDS);
    SecuredConnection out = dial(client, listener.address(), serverId);
    accepting.awaitConnection();
    listener.close().get(60, TimeUnit.SECONDS);
    StreamProbe probe = open(out).write(bytes("on")).readAll();
    probe.stream().shutdownOutput();
    assertThat(probe.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("on");
    assertThat(server.socketCount()).isEqualTo(1);
    out.session().close().join();
    assertThat(eventually(() -> server.socketCount() == 0)).isTrue();
  }

  @Test
  void aConnectionOverALimitIsNotAnsweredUntilThereIsRoom() throws Exception {
    Multiaddr address = listen(server, LOOPBACK, accepting.admitting(1));
    SecuredConnection first = dial(client, address, serverId);
    // Its packets come at growing distances: it has time for one more.
    QuicTransport patient =
        transport(
            clientKey,
            new QuicTimeouts(
                Duration.ofSeconds(120),
                Duration.ofSeconds(15),
                Duration.ofSeconds(120),
                Duration.ofSeconds(15)));
    CompletableFuture<SecuredConnection> second =
        patient.dial(address, serverId, dialling.scope(), dialling.streams());
    assertThat(eventually(() -> accepting.refused() > 0)).isTrue();
    assertThat(second).isNotDone();
    first.session().close().join();
    assertThat(second.get(120, TimeUnit.SECONDS).remoteKey()).isEqualTo(serverKey.publicKey());
  }

  @Test
  void remotesProveTheirAddressWhenManyHandshakesAreOpen() throws Exception {
    QuicTransport strict =
        new QuicTransport(loops, HostCertificate.issue(serverKey), 0, QuicTimeouts.defaults());
    others.add(strict);
    accepting.serving(Echo::serve);
    Multiaddr address = listen(strict, LOOPBACK, accepting);
    SecuredConnection out = dial(client, address, serverId);
    assertThat(out.remoteKey()).isEqualTo(serverKey.publicKey());
    StreamProbe probe = open(out).write(bytes("proven")).readAll();
    probe.stream().shutdownOutput();
    assertThat(probe.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("proven");
  }

  @Test
  void garbageIsHarmless() throws Exception {
    accepting.serving(Echo::serve);
    Multiaddr address = listen(server, LOOPBACK, accepting);
    SecuredConnection out = dial(client, address, serverId);
    InetSocketAddress target = IpAddresses.socketAddress(address);
    Random random = new Random(3);
    try (DatagramSocket sender = new DatagramSocket()) {
      for (int i = 0; i < 3000; i++) {
        byte[] noise = new byte[random.nextInt(1400)];
        random.nextBytes(noise);
        if (noise.length > 5 && i % 3 == 0) {
          // A first packet of version 1.
          noise[0] = (byte) 0xc0;
          noise[1] = noise[2] = noise[3] = 0;
          noise[4] = 1;
        }
        sender.send(new DatagramPacket(noise, noise.length, target));
      }
    }
    StreamProbe probe = open(out).write(bytes("unmoved")).readAll();
    probe.stream().shutdownOutput();
    assertThat(probe.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("unmoved");
    dial(client, address, serverId).session().close().join();
  }

  @Test
  void refusesAForgedCertificateOnBothSides() throws Exception {
    refuses(ForgedCertificates.ofAnotherKey(clientKey), "signature is not the host key's");
    refuses(ForgedCertificates.withoutIdentity(), "lacks the libp2p extension");
  }

  @Test
  void refusesAnExpiredCertificateOnBothSides() throws Exception {
    refuses(ForgedCertificates.expired(clientKey), "has expired");
  }

  private void refuses(HostCertificate forged, String reason) throws Exception {
    QuicTransport forger = new QuicTransport(loops, forged, 8, QuicTimeouts.defaults());
    others.add(forger);
    RecordingAcceptor victim = new RecordingAcceptor();
    Multiaddr victimAddress = listen(server, LOOPBACK, victim);
    // The dialler may believe for a moment that it is connected.
    CompletableFuture<SecuredConnection> dial =
        forger.dial(victimAddress, null, dialling.scope(), dialling.streams());
    assertThat(victim.awaitFailure())
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining(reason);
    dial.handle((connection, failure) ->
            connection == null
                ? CompletableFuture.completedFuture("refused")
                : connection.session().closed())
        .get(60, TimeUnit.SECONDS)
        .get(60, TimeUnit.SECONDS);
    assertThat(victim.hasConnection()).isFalse();

    Multiaddr forgerAddress = listen(forger, LOOPBACK, new RecordingAcceptor());
    assertThatThrownBy(() -> dial(client, forgerAddress, null))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void punchesAHoleAndTakesTheConnectionThatComesThroughIt() throws Exception {
    Multiaddr serverAddress = listen(server, LOOPBACK, accepting);
    Multiaddr clientAddress = listen(client, LOOPBACK, dialling);
    PeerId clientId = PeerId.of(clientKey.publicKey());
    CompletableFuture<SecuredConnection> awaited =
        server.punch(
            clientAddress, clientId, Direction.INBOUND, accepting.scope(), accepting.streams());
    // What comes before the punch is known to its event loop is the listener's.
    for (EventExecutor loop : loops.group()) {
      loop.submit(() -> {}).sync();
    }
    CompletableFuture<SecuredConnection> dialled =
        client.punch(
            serverAddress, serverId, Direction.OUTBOUND, dialling.scope(), dialling.streams());
    assertThat(dialled.get(60, TimeUnit.SECONDS).remoteKey()).isEqualTo(serverKey.publicKey());
    SecuredConnection in = awaited.get(60, TimeUnit.SECONDS);
    assertThat(in.remoteKey()).isEqualTo(clientKey.publicKey());
    assertThat(in.remoteAddress()).isEqualTo(clientAddress);
    // It is the punch's connection, not one more for the listener.
    assertThat(accepting.hasConnection()).isFalse();
  }

  @Test
  void punchingSendsRandomPacketsFromTheListeningPortUntilCancelled() throws Exception {
    Multiaddr serverAddress = listen(server, LOOPBACK, accepting);
    try (DatagramSocket target = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0))) {
      target.setSoTimeout(60_000);
      Multiaddr address = Multiaddr.of("/ip4/127.0.0.1/udp/" + target.getLocalPort() + "/quic-v1");
      CompletableFuture<SecuredConnection> punch =
          server.punch(
              address,
              PeerId.of(clientKey.publicKey()),
              Direction.INBOUND,
              accepting.scope(),
              accepting.streams());
      for (int i = 0; i < 3; i++) {
        DatagramPacket packet = new DatagramPacket(new byte[1500], 1500);
        target.receive(packet);
        assertThat(packet.getPort()).isEqualTo(IpAddresses.socketAddress(serverAddress).getPort());
        assertThat(packet.getLength()).isEqualTo(64);
      }
      punch.cancel(true);
      // What was sent before is still to be read; then there is silence.
      target.setSoTimeout(500);
      assertThat(eventually(() -> !receives(target))).isTrue();
    }
  }

  private static boolean receives(DatagramSocket socket) {
    try {
      socket.receive(new DatagramPacket(new byte[1500], 1500));
      return true;
    } catch (SocketTimeoutException silence) {
      return false;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anIdleConnectionIsKeptOpenByEitherSide() throws Exception {
    // Longer than a machine that is busy stands still.
    Duration idle = Duration.ofSeconds(8);
    Duration never = Duration.ofHours(1);
    Duration often = Duration.ofMillis(300);
    List<SecuredConnection> kept = new ArrayList<>();
    for (boolean clientKeeps : new boolean[] {true, false}) {
      RecordingAcceptor acceptor = new RecordingAcceptor().serving(Echo::serve);
      QuicTransport one = transport(serverKey, idle, clientKeeps ? never : often);
      QuicTransport other = transport(clientKey, idle, clientKeeps ? often : never);
      kept.add(dial(other, listen(one, LOOPBACK, acceptor), serverId));
    }
    assertThatThrownBy(() ->
            CompletableFuture.anyOf(kept.get(0).session().closed(), kept.get(1).session().closed())
                .get(idle.toMillis() + 1000, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    for (SecuredConnection out : kept) {
      // The empty streams come to no one, and leave nothing.
      assertThat(eventually(() -> kept(out) == 0)).isTrue();
      StreamProbe probe = open(out).write(bytes("awake")).readAll();
      probe.stream().shutdownOutput();
      assertThat(probe.awaitEnd()).asString(StandardCharsets.UTF_8).isEqualTo("awake");
    }
  }

  @Test
  void aConnectionWhoseRemoteIsSilentEndsInTime() throws Exception {
    Duration idle = Duration.ofSeconds(5);
    QuicTransport one = transport(serverKey, idle, Duration.ofHours(1));
    QuicTransport other = transport(clientKey, idle, Duration.ofHours(1));
    SecuredConnection out = dial(other, listen(one, LOOPBACK, accepting), serverId);
    StreamProbe probe = open(out);
    assertThat(out.session().closed().get(60, TimeUnit.SECONDS)).contains("idle timeout");
    assertThat(probe.awaitFailure()).isInstanceOf(StreamResetException.class);
    assertThat(eventually(() -> accepting.open() == 0)).isTrue();
  }

  private QuicTransport transport(Ed25519PrivateKey key, Duration idle, Duration keepAlive) {
    return transport(
        key, new QuicTimeouts(Duration.ofSeconds(10), Duration.ofSeconds(15), idle, keepAlive));
  }

  private QuicTransport transport(Ed25519PrivateKey key, QuicTimeouts timeouts) {
    QuicTransport transport =
        new QuicTransport(
            loops, HostCertificate.issue(key), QuicSocket.UNPROVEN_HANDSHAKES_MAX, timeouts);
    others.add(transport);
    return transport;
  }

  /// How many streams Netty keeps for a connection.
  private static int kept(SecuredConnection connection) {
    Object channel = ((QuicSession) connection.session()).connection();
    try {
      var field = channel.getClass().getDeclaredField("streams");
      field.setAccessible(true);
      return ((io.netty.util.collection.LongObjectMap<?>) field.get(channel)).size();
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static Multiaddr listen(
      QuicTransport transport, Multiaddr address, RecordingAcceptor acceptor) throws Exception {
    return transport.listen(address, acceptor).get(60, TimeUnit.SECONDS).address();
  }

  private SecuredConnection dial(QuicTransport transport, Multiaddr address, PeerId expected)
      throws Exception {
    return transport
        .dial(address, expected, dialling.scope(), dialling.streams())
        .get(60, TimeUnit.SECONDS);
  }

  private static StreamProbe open(SecuredConnection connection) throws Exception {
    return StreamProbe.attach(connection.session().open().get(60, TimeUnit.SECONDS));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static int descriptors() {
    String[] open = new File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }

  private static boolean eventually(BooleanSupplier condition) throws InterruptedException {
    return holds(condition, Duration.ofSeconds(60));
  }

  /// Whether it becomes true within a moment: for what must not happen.
  private static boolean settles(BooleanSupplier condition) throws InterruptedException {
    return holds(condition, Duration.ofMillis(200));
  }

  private static boolean holds(BooleanSupplier condition, Duration within)
      throws InterruptedException {
    long end = System.nanoTime() + within.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(5);
    }
    return true;
  }
}
