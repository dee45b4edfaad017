package io.rigmesh.libp2p.autonat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire.DialResponse.ResponseStatus;
import io.rigmesh.libp2p.autonat.wire.AutoNatWire.DialStatus;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.AutoRelay;
import io.rigmesh.libp2p.relay.Relay;
import io.rigmesh.libp2p.relay.RelayLimits;
import io.rigmesh.libp2p.relay.RelayTransport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// AutoNAT between real hosts on loopback.
@Timeout(240)
class AutoNatIT {
  private static final AutoNatSettings SETTINGS = AutoNatSettings.defaults().withPrivateAddresses();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<AutoCloseable> open = new ArrayList<>();

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

  private Host listening() {
    return host(HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0"));
  }

  private Host serving() {
    Host server = listening();
    autoNat(server);
    return server;
  }

  private AutoNat autoNat(Host host) {
    AutoNat autoNat = AutoNat.start(host, SETTINGS);
    open.add(autoNat);
    return autoNat;
  }

  private static void connect(Host from, Host to) {
    from.connect(new PeerAddress(to.id(), to.listenAddresses())).join();
  }

  private static void await(BooleanSupplier condition, String what) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      Thread.sleep(10);
    }
  }

  /// A port that nobody listens on, nor can while the test runs.
  private int closedPort() throws Exception {
    Socket bound = new Socket();
    open.add(bound);
    bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    return bound.getLocalPort();
  }

  @Test
  void aHostThatCanBeDialledFindsThatItIsPublic() throws Exception {
    Host host = listening();
    AutoNat autoNat = autoNat(host);
    BlockingQueue<Reachability> heard = new LinkedBlockingQueue<>();
    autoNat.addListener(heard::add);
    connect(host, serving());

    assertThat(heard.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(Reachability.PUBLIC);
    assertThat(autoNat.reachability()).isEqualTo(Reachability.PUBLIC);
    assertThat(autoNat.verdicts()).hasSize(1);
    AddressVerdict verdict = autoNat.verdicts().getFirst();
    assertThat(verdict.address()).isEqualTo(host.listenAddresses().getFirst());
    assertThat(verdict.state()).isEqualTo(Reachability.PUBLIC);
    assertThat(verdict.successes()).isEqualTo(1);
  }

  @Test
  void aHostThatCannotBeDialledFindsThatItIsPrivateAndReservesWithARelay() throws Exception {
    Host relay = serving();
    open.add(Relay.start(relay, RelayLimits.defaults()));
    Multiaddr wrong = Multiaddr.of("/ip4/127.0.0.1/tcp/" + closedPort());
    Host host = host(HostBuilder.anonymous().announce(wrong.toString()));
    AutoNat autoNat = autoNat(host);
    open.add(AutoRelay.start(host, RelayTransport.start(host), autoNat, List::of, 1));
    connect(host, relay);

    await(() -> autoNat.reachability() == Reachability.PRIVATE, "private");
    Multiaddr circuit =
        relay.listenAddresses().getFirst().withPeerId(relay.id()).then("/p2p-circuit");
    await(() -> host.addresses().contains(circuit), "reachable through the relay");
    Host dialler = host(HostBuilder.anonymous());
    RelayTransport.start(dialler);
    assertThat(dialler.connect(new PeerAddress(host.id(), List.of(circuit))).join().limited())
        .isTrue();
  }

  @Test
  void oneAddressMayBeReachableAndAnotherNot() throws Exception {
    Multiaddr wrong = Multiaddr.of("/ip4/127.0.0.1/tcp/" + closedPort());
    Host host =
        host(HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").announce(wrong.toString()));
    AutoNat autoNat = autoNat(host);
    connect(host, serving());
    await(() -> autoNat.verdicts().size() == 2, "both were asked about");
    await(() -> autoNat.reachability() == Reachability.PUBLIC, "one suffices");
    assertThat(autoNat.verdicts())
        .anySatisfy(verdict -> {
          assertThat(verdict.address()).isEqualTo(wrong);
          assertThat(verdict.state()).isEqualTo(Reachability.PRIVATE);
        });
  }

  // ---- the server, asked by hand

  private static final class Asker {
    final Host host;
    final BlockingQueue<Long> nonces = new LinkedBlockingQueue<>();

    Asker(Host host) {
      this.host = host;
      host.handle(
          AutoNat.DIAL_BACK,
          StreamHandler.blocking((stream, io) -> {
            nonces.add(AutoNatMessages.dialBack(io.requireMessage(64)).getNonce());
            io.writeMessage(AutoNatWire.DialBackResponse.getDefaultInstance());
          }));
    }

    BlockingStream ask(Host server, long nonce, List<Multiaddr> addresses) {
      connect(host, server);
      BlockingStream io =
          host.open(server.id(), AutoNat.DIAL_REQUEST).join().blocking().timeout(PATIENCE);
      AutoNatWire.DialRequest.Builder request =
          AutoNatWire.DialRequest.newBuilder().setNonce(nonce);
      addresses.forEach(address -> request.addAddrs(ByteString.copyFrom(address.bytes())));
      io.writeMessage(AutoNatWire.Message.newBuilder().setDialRequest(request).build());
      return io;
    }
  }

  private static AutoNatWire.Message read(BlockingStream io) {
    return AutoNatMessages.message(io.requireMessage(AutoNatMessages.BYTES_MAX));
  }

  @Test
  void theFirstAddressThatCanBeDialledIsDialledOverANewConnection() throws Exception {
    Host server = serving();
    Asker asker = new Asker(listening());
    Multiaddr own = asker.host.listenAddresses().getFirst();
    AutoNatWire.DialResponse response =
        read(asker.ask(server, 4711, List.of(Multiaddr.of("/dns/example.invalid/tcp/1"), own)))
            .getDialResponse();
    assertThat(response.getStatus()).isEqualTo(ResponseStatus.OK);
    assertThat(response.getAddrIdx()).isEqualTo(1);
    assertThat(response.getDialStatus()).isEqualTo(DialStatus.OK);
    assertThat(asker.nonces.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(4711);
    await(() -> asker.host.connections().size() == 1, "the dial back's connection is closed");
  }

  @Test
  void anAddressThatFailsIsReportedAndNoOtherIsDialled() throws Exception {
    Host server = serving();
    Asker asker = new Asker(listening());
    AutoNatWire.DialResponse response =
        read(asker.ask(
                server,
                1,
                List.of(
                    Multiaddr.of("/ip4/127.0.0.1/tcp/" + closedPort()),
                    asker.host.listenAddresses().getFirst())))
            .getDialResponse();
    assertThat(response.getStatus()).isEqualTo(ResponseStatus.OK);
    assertThat(response.getAddrIdx()).isZero();
    assertThat(response.getDialStatus()).isEqualTo(DialStatus.E_DIAL_ERROR);
    assertThat(asker.nonces).isEmpty();
  }

  @Test
  void anotherIpAddressIsDialledOnlyForItsPriceInBytes() throws Exception {
    Host server = serving();
    Asker asker = new Asker(host(HostBuilder.anonymous().listen("/ip4/127.0.0.2/tcp/0")));
    BlockingStream io = asker.ask(server, 5, asker.host.listenAddresses());
    AutoNatWire.Message price = read(io);
    long due = price.getDialDataRequest().getNumBytes();
    assertThat(due).isBetween(30_000L, 100_000L);
    byte[] part = new byte[4096];
    long sent = 0;
    while (sent + part.length < due) {
      pay(io, part);
      sent += part.length;
    }
    assertThat(asker.nonces.poll(300, TimeUnit.MILLISECONDS)).as("not yet paid").isNull();
    pay(io, part);
    assertThat(read(io).getDialResponse().getDialStatus()).isEqualTo(DialStatus.OK);
    assertThat(asker.nonces.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(5);
  }

  private static void pay(BlockingStream io, byte[] part) {
    io.writeMessage(
        AutoNatWire.Message.newBuilder()
            .setDialDataResponse(
                AutoNatWire.DialDataResponse.newBuilder().setData(ByteString.copyFrom(part)))
            .build());
  }

  @Test
  void thePriceCannotBePaidInCrumbs() {
    Host server = serving();
    Asker asker = new Asker(host(HostBuilder.anonymous().listen("/ip4/127.0.0.2/tcp/0")));
    BlockingStream io = asker.ask(server, 5, asker.host.listenAddresses());
    assertThat(read(io).hasDialDataRequest()).isTrue();
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 2000; i++) {
                pay(io, new byte[1]);
              }
              read(io);
            })
        .isInstanceOf(StreamResetException.class);
    assertThat(asker.nonces).isEmpty();
  }

  @Test
  void privateAddressesAreNotDialledUnlessTheSettingsSaySo() {
    Host server = listening();
    open.add(AutoNat.start(server, AutoNatSettings.defaults()));
    Asker asker = new Asker(listening());
    AutoNatWire.DialResponse response =
        read(asker.ask(server, 1, asker.host.listenAddresses())).getDialResponse();
    assertThat(response.getStatus()).isEqualTo(ResponseStatus.E_DIAL_REFUSED);
    assertThat(asker.nonces).isEmpty();
  }

  @Test
  void tooManyRequestsAreRejected() {
    Host server = serving();
    Asker asker = new Asker(listening());
    for (int i = 0; i < SETTINGS.requestsPerPeerPerMinute(); i++) {
      assertThat(read(asker.ask(server, i, List.of())).getDialResponse().getStatus())
          .isEqualTo(ResponseStatus.E_DIAL_REFUSED);
    }
    assertThat(read(asker.ask(server, 1, List.of())).getDialResponse().getStatus())
        .isEqualTo(ResponseStatus.E_REQUEST_REJECTED);
  }

  // ---- the client, served by hand

  private static AutoNatWire.Message dialled(DialStatus status) {
    return AutoNatWire.Message.newBuilder()
        .setDialResponse(
            AutoNatWire.DialResponse.newBuilder()
                .setStatus(ResponseStatus.OK)
                .setDialStatus(status))
        .build();
  }

  @Test
  void aServerThatClaimsSuccessWithoutTheNonceIsNotBelieved() throws Exception {
    Host liar = listening();
    BlockingQueue<Long> asked = new LinkedBlockingQueue<>();
    liar.handle(
        AutoNat.DIAL_REQUEST,
        StreamHandler.blocking((stream, io) -> {
          asked.add(read(io).getDialRequest().getNonce());
          io.writeMessage(dialled(DialStatus.OK));
        }));
    Host host = listening();
    AutoNat autoNat = autoNat(host);
    connect(host, liar);
    assertThat(asked.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isNotNull();
    assertThat(asked.poll(1, TimeUnit.SECONDS)).as("nothing else to ask").isNull();
    assertThat(autoNat.reachability()).isEqualTo(Reachability.UNKNOWN);
    assertThat(autoNat.verdicts()).isEmpty();
  }

  @Test
  void aNonceThatNobodyAskedForIsRefused() {
    Host host = listening();
    autoNat(host);
    Host other = listening();
    connect(other, host);
    BlockingStream io = other.open(host.id(), AutoNat.DIAL_BACK).join().blocking();
    // The stream may be reset before the write returns.
    assertThatThrownBy(
            () -> {
              io.writeMessage(AutoNatWire.DialBack.newBuilder().setNonce(1).build());
              io.requireMessage(64);
            })
        .isInstanceOf(StreamResetException.class);
  }

  @Test
  void aServerThatAsksForTooMuchIsLeft() throws Exception {
    Host greedy = listening();
    BlockingQueue<String> ends = new LinkedBlockingQueue<>();
    greedy.handle(
        AutoNat.DIAL_REQUEST,
        StreamHandler.blocking((stream, io) -> {
          read(io);
          io.writeMessage(
              AutoNatWire.Message.newBuilder()
                  .setDialDataRequest(
                      AutoNatWire.DialDataRequest.newBuilder().setNumBytes(1L << 40))
                  .build());
          try {
            read(io);
            ends.add("paid");
          } catch (StreamResetException reset) {
            ends.add("reset");
          }
        }));
    Host host = listening();
    autoNat(host);
    connect(host, greedy);
    assertThat(ends.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("reset");
  }
}
