package io.rigmesh.libp2p.identify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.identify.wire.IdentifyWire;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IdentifyServiceTest {
  private static final ProtocolId CHAT = new ProtocolId("/chat/1");
  private final List<Host> hosts = new ArrayList<>();

  @AfterEach
  void closeHosts() {
    hosts.forEach(Host::close);
  }

  private Host host(String agent) {
    return host(agent, InstantSource.system());
  }

  private Host host(String agent, InstantSource clock) {
    Host host =
        HostBuilder.anonymous()
            .listen("/ip4/127.0.0.1/tcp/0")
            .agentVersion(agent)
            .clock(clock)
            .start();
    hosts.add(host);
    return host;
  }

  private static Connection connect(Host from, Host to) {
    return from.connect(new PeerAddress(to.id(), to.addresses()))
        .orTimeout(60, TimeUnit.SECONDS)
        .join();
  }

  private static IdentifyInfo identified(Host host, Connection connection) {
    return host.identify().identified(connection).orTimeout(60, TimeUnit.SECONDS).join();
  }

  private static Connection accepted(Host host) {
    await(() -> !host.connections().isEmpty());
    return host.connections().getFirst();
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited a minute").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  @Test
  void bothSidesLearnWhatTheOtherIs() {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    listener.handle(CHAT, StreamHandler.blocking((stream, io) -> {}));
    Connection connection = connect(dialler, listener);

    IdentifyInfo info = identified(dialler, connection);
    assertThat(info.peer()).isEqualTo(listener.id());
    assertThat(info.agentVersion()).isEqualTo("listener/2");
    assertThat(info.protocols()).contains(CHAT, IdentifyService.ID, IdentifyService.PUSH);
    assertThat(info.addresses()).containsExactlyElementsOf(listener.addresses());
    assertThat(info.observedAddress().orElseThrow().first(AddressProtocol.TCP))
        .isEqualTo(connection.localAddress().first(AddressProtocol.TCP));
    PeerRecord record = PeerRecord.of(info.signedRecord().orElseThrow());
    assertThat(record.peer()).isEqualTo(listener.id());
    assertThat(record.addresses()).containsExactlyElementsOf(listener.addresses());

    IdentifyInfo back = identified(listener, accepted(listener));
    assertThat(back.peer()).isEqualTo(dialler.id());
    assertThat(back.agentVersion()).isEqualTo("dialler/1");
    assertThat(back.observedAddress()).contains(listener.addresses().getFirst());
  }

  @Test
  void whatIsLearnedIsInThePeerStore() {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    identified(dialler, connect(dialler, listener));
    assertThat(dialler.peerStore().addresses(listener.id())).containsAll(listener.addresses());
    assertThat(dialler.peerStore().agent(listener.id())).contains("listener/2");
    assertThat(dialler.peerStore().protocols(listener.id())).contains(IdentifyService.ID);
    assertThat(dialler.peerStore().signedRecord(listener.id())).isPresent();
  }

  @Test
  void aProtocolThatIsServedLaterIsPushed() throws InterruptedException {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    BlockingQueue<IdentifyInfo> heard = new LinkedBlockingQueue<>();
    dialler.identify().addListener((connection, info) -> heard.add(info));
    Connection connection = connect(dialler, listener);
    assertThat(identified(dialler, connection).speaks(CHAT)).isFalse();
    // The listener pushes to peers that it knows to take pushes.
    identified(listener, accepted(listener));
    assertThat(heard.poll(60, TimeUnit.SECONDS)).isNotNull();

    listener.handle(CHAT, StreamHandler.blocking((stream, io) -> {}));
    IdentifyInfo pushed = heard.poll(60, TimeUnit.SECONDS);
    assertThat(pushed).isNotNull();
    assertThat(pushed.speaks(CHAT)).isTrue();
    assertThat(identified(dialler, connection).speaks(CHAT)).isTrue();
    assertThat(dialler.peerStore().protocols(listener.id())).contains(CHAT);

    listener.unhandle(CHAT);
    IdentifyInfo withdrawn = heard.poll(60, TimeUnit.SECONDS);
    assertThat(withdrawn).isNotNull();
    assertThat(withdrawn.speaks(CHAT)).isFalse();
  }

  @Test
  void aPeerThatIsSilentOnIdentifyFailsWithinItsTimeAndStaysConnected() {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    listener.unhandle(IdentifyService.ID);
    listener.handle(IdentifyService.ID, stream -> {});
    dialler.identify().close();
    Identify impatient =
        IdentifyService.start(
            dialler,
            IdentifySettings.defaults("dialler/1", Clock.systemUTC())
                .withTimeout(Duration.ofMillis(300)));
    Connection connection = connect(dialler, listener);
    assertThatThrownBy(
            () -> impatient.identified(connection).orTimeout(60, TimeUnit.SECONDS).join())
        .hasMessageContaining("nothing came from");
    assertThat(connection.isOpen()).isTrue();
    await(() ->
        connection.streams().stream()
            .noneMatch(stream -> stream.protocol().equals(IdentifyService.ID)));
  }

  @Test
  void aPeerThatIsTooBusyToAnswerIsAskedAgain() {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    AtomicInteger asked = new AtomicInteger();
    listener.unhandle(IdentifyService.ID);
    listener.handle(
        IdentifyService.ID,
        StreamHandler.blocking((stream, io) -> {
          if (asked.incrementAndGet() == 1) {
            io.read(new byte[1], 0, 1);
          }
          io.writeMessage(IdentifyWire.Identify.newBuilder().setAgentVersion("late/1").build());
        }));
    dialler.identify().close();
    Identify patient =
        IdentifyService.start(
            dialler,
            IdentifySettings.defaults("dialler/1", Clock.systemUTC())
                .withTimeout(Duration.ofSeconds(2)));
    Connection connection = connect(dialler, listener);
    IdentifyInfo info = patient.identified(connection).orTimeout(60, TimeUnit.SECONDS).join();
    assertThat(info.agentVersion()).isEqualTo("late/1");
    assertThat(asked).hasValueGreaterThan(1);
  }

  @Test
  void anotherPeersKeyIsMisbehaviour() {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    Host third = host("third/3");
    listener.unhandle(IdentifyService.ID);
    listener.handle(
        IdentifyService.ID,
        StreamHandler.blocking((stream, io) ->
            io.writeMessage(
                IdentifyWire.Identify.newBuilder()
                    .setPublicKey(ByteString.copyFrom(third.key().publicKey().bytes()))
                    .build())));
    Connection connection = connect(dialler, listener);
    assertThatThrownBy(() -> identified(dialler, connection))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("sent the public key of " + third.id());
  }

  @Test
  void aConnectionThatHasGoneIsNotIdentified() {
    Host dialler = host("dialler/1");
    Host listener = host("listener/2");
    Connection connection = connect(dialler, listener);
    connection.close("test").orTimeout(60, TimeUnit.SECONDS).join();
    await(() -> dialler.identify().identified(connection).isDone());
    await(() -> dialler.connections().isEmpty());
    assertThatThrownBy(
            () -> dialler.identify().identified(connection).orTimeout(60, TimeUnit.SECONDS).join())
        .hasMessageContaining("closed");
  }

  @Test
  void aPeerThatFloodsPushesIsCutOffButNotForgotten() {
    Host dialler = host("dialler/1");
    // Its clock stands still, for time alone would allow more pushes.
    Host listener = host("listener/2", InstantSource.fixed(Instant.now()));
    BlockingQueue<IdentifyInfo> heard = new LinkedBlockingQueue<>();
    listener.identify().addListener((connection, info) -> heard.add(info));
    Connection connection = connect(dialler, listener);
    identified(listener, accepted(listener));
    int refused = 0;
    for (int i = 0; i < 40; i++) {
      Stream stream =
          connection
              .open(List.of(IdentifyService.PUSH, new ProtocolId("/none")))
              .orTimeout(60, TimeUnit.SECONDS)
              .join();
      BlockingStream talk = stream.blocking();
      try {
        talk.writeMessage(IdentifyWire.Identify.newBuilder().setAgentVersion("flood/" + i).build());
        talk.closeWrite();
        talk.read(new byte[1], 0, 1);
      } catch (StreamResetException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(20);
    assertThat(heard.size()).isLessThan(20);
    assertThat(connection.isOpen()).isTrue();
  }
}
