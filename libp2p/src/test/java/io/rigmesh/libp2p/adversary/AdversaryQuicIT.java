package io.rigmesh.libp2p.adversary;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.quic.QuicTransport;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// As [AdversaryIT] over QUIC, where the layers below streams are the library's: datagrams that
/// mean nothing, connections that are never finished, and what streams can be filled with.
@Timeout(240)
final class AdversaryQuicIT {
  private Besieged besieged;
  private Host liar;
  private QuicTransport transport;

  @BeforeEach
  void start() throws Exception {
    besieged = new Besieged("/ip4/127.0.0.1/udp/0/quic-v1");
    liar = HostBuilder.anonymous().start();
    transport = new QuicTransport(liar.network().eventLoops(), liar.key());
    SecuredConnection first = dial();
    DuplexChannel stream = first.session().open().get(60, TimeUnit.SECONDS);
    write(stream, RawPeer.line("/multistream/1.0.0"));
    besieged.awaitStranger();
    first.session().close().get(60, TimeUnit.SECONDS);
    besieged.remember();
  }

  @AfterEach
  void nothingIsLeftOfThem() throws Exception {
    try {
      transport.close();
      liar.close();
      besieged.assertUnharmed();
    } finally {
      besieged.close();
    }
  }

  /// A connection with whose streams a test does what it likes.
  private SecuredConnection dial() throws Exception {
    Multiaddr address = besieged.host.listenAddresses().getFirst();
    return transport
        .dial(
            address,
            besieged.host.id(),
            liar.resources().openConnection(Direction.OUTBOUND, address),
            Channel::close)
        .get(60, TimeUnit.SECONDS);
  }

  private static void write(DuplexChannel stream, byte[] bytes) {
    stream.writeAndFlush(Unpooled.wrappedBuffer(bytes));
  }

  private static void awaitEnd(DuplexChannel stream) {
    stream.config().setAutoRead(true);
    Eventually.await("the stream is reset", Besieged.SOON, () -> !stream.isActive());
  }

  @Test
  void datagramsThatMeanNothingAreDropped() throws Exception {
    Random random = new Random(7);
    try (DatagramSocket socket = new DatagramSocket()) {
      for (int i = 0; i < 3_000; i++) {
        byte[] bytes = new byte[random.nextInt(1, 1_400)];
        random.nextBytes(bytes);
        if (i % 3 > 0 && bytes.length > 30) {
          // A long header of version 1 or of one that nobody knows, with connection ids.
          bytes[0] = (byte) (0xc0 | random.nextInt(64));
          bytes[1] = 0;
          bytes[2] = 0;
          bytes[3] = 0;
          bytes[4] = (byte) (i % 3);
          bytes[5] = (byte) random.nextInt(21);
        }
        socket.send(new DatagramPacket(bytes, bytes.length, besieged.socketAddress()));
        if (i % 500 == 0) {
          besieged.answers();
        }
      }
    }
    assertThat(besieged.host.connections()).hasSize(1);
  }

  @Test
  void aLineThatIsTooLongEndsTheStream() throws Exception {
    SecuredConnection connection = dial();
    DuplexChannel stream = connection.session().open().get(60, TimeUnit.SECONDS);
    write(stream, new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x7f});
    awaitEnd(stream);
    connection.session().close();
  }

  @Test
  void messagesWithTooManyElementsEndTheirStream() throws Exception {
    byte[] empties = new byte[200_000];
    for (int i = 0; i < empties.length; i += 2) {
      empties[i] = 0x0a;
    }
    SecuredConnection connection = dial();
    for (String protocol : List.of("/meshsub/1.1.0", "/ipfs/kad/1.0.0", "/ipfs/id/push/1.0.0")) {
      DuplexChannel stream = connection.session().open().get(60, TimeUnit.SECONDS);
      write(
          stream,
          RawPeer.concatenated(
              RawPeer.line("/multistream/1.0.0"),
              RawPeer.line(protocol),
              RawPeer.varint(empties.length),
              empties));
      awaitEnd(stream);
    }
    connection.session().close();
  }

  @Test
  void aFloodOfStreamsIsHeldBackAndCut() throws Exception {
    SecuredConnection connection = dial();
    List<CompletableFuture<DuplexChannel>> opening = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      CompletableFuture<DuplexChannel> stream = connection.session().open();
      stream.thenAccept(open -> write(open, new byte[] {19}));
      opening.add(stream);
    }
    for (int i = 0; i < 20; i++) {
      besieged.answers();
      assertThat(besieged.host.resources().usage().inboundStreams()).isLessThanOrEqualTo(600);
    }
    connection.session().close();
    opening.forEach(stream -> stream.cancel(false));
  }

  @Test
  void garbageInStreamsIsSurvived() throws Exception {
    Random random = new Random(42);
    SecuredConnection connection = dial();
    for (int round = 0; round < 12; round++) {
      byte[] garbage = new byte[1 + random.nextInt(100_000)];
      random.nextBytes(garbage);
      DuplexChannel stream = connection.session().open().get(60, TimeUnit.SECONDS);
      write(
          stream,
          round % 2 == 0
              ? garbage
              : RawPeer.concatenated(
                  RawPeer.line("/multistream/1.0.0"), RawPeer.line("/meshsub/1.1.0"), garbage));
      besieged.answers();
      stream.close();
    }
    connection.session().close();
  }
}
