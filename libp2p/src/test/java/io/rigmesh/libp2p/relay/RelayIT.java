package io.rigmesh.libp2p.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import io.rigmesh.libp2p.transport.Listener;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Relays, listeners behind them and diallers through them, as real hosts on loopback.
@Timeout(240)
class RelayIT {
  private static final ProtocolId ECHO = new ProtocolId("/test/echo/1.0.0");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<AutoCloseable> open = new ArrayList<>();
  private final Host relay = listening();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open.reversed()) {
      one.close();
    }
  }

  private Host listening() {
    return keep(HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start());
  }

  /// A host that can only dial.
  private Host hidden() {
    return keep(HostBuilder.anonymous().start());
  }

  private Host keep(Host host) {
    open.add(host);
    return host;
  }

  private Relay relaying(RelayLimits limits) {
    Relay service = Relay.start(relay, limits);
    open.add(service);
    return service;
  }

  private static RelayLimits limits(Duration circuitTime, long circuitBytes) {
    return new RelayLimits(128, 8, 16, Duration.ofHours(1), circuitTime, circuitBytes);
  }

  private static final RelayLimits UNLIMITED = limits(Duration.ZERO, 0);

  private static PeerAddress at(Host host) {
    return new PeerAddress(host.id(), host.listenAddresses());
  }

  private Multiaddr circuit() {
    return relay.listenAddresses().getFirst().withPeerId(relay.id()).then("/p2p-circuit");
  }

  private static void await(BooleanSupplier condition, String what) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      Thread.sleep(10);
    }
  }

  private static void echo(Stream stream, BlockingStream io) {
    byte[] bytes = new byte[8192];
    for (int count = io.read(bytes, 0, bytes.length);
        count >= 0;
        count = io.read(bytes, 0, bytes.length)) {
      io.write(Arrays.copyOf(bytes, count));
    }
  }

  private Host echoing() {
    Host host = hidden();
    RelayTransport.start(host);
    host.handle(ECHO, StreamHandler.blocking(RelayIT::echo));
    return host;
  }

  private Host echoingBehindTheRelay() {
    Host host = echoing();
    host.network().listen(circuit()).join();
    return host;
  }

  private Host dialling() {
    Host host = hidden();
    RelayTransport.start(host);
    return host;
  }

  private PeerAddress through(Host target) {
    return new PeerAddress(target.id(), List.of(circuit()));
  }

  @Test
  void peersThatCannotDialEachOtherTalkThroughARelay() throws Exception {
    Relay service = relaying(RelayLimits.defaults());
    Host listener = echoingBehindTheRelay();
    Host dialler = dialling();

    assertThat(listener.addresses()).containsExactly(circuit());
    assertThat(service.reservations()).isEqualTo(1);
    Connection connection = dialler.connect(through(listener)).join();

    assertThat(connection.peer()).isEqualTo(listener.id());
    assertThat(connection.limited()).isTrue();
    assertThat(connection.remoteAddress()).isEqualTo(circuit());
    assertThat(connection.security()).isEqualTo("/noise");
    BlockingStream io = dialler.openLimited(listener.id(), ECHO).join().blocking();
    byte[] sent = new byte[20_000];
    new Random(1).nextBytes(sent);
    io.write(sent);
    assertThat(io.readFully(sent.length)).isEqualTo(sent);
    io.closeWrite();
    assertThat(io.read(new byte[1], 0, 1)).as("the echo's end").isEqualTo(-1);

    Connection inbound = listener.connections(dialler.id()).getFirst();
    assertThat(inbound.direction()).isEqualTo(Direction.INBOUND);
    assertThat(inbound.limited()).isTrue();
    assertThat(inbound.remoteAddress().has(AddressProtocol.P2P_CIRCUIT)).isTrue();
    assertThat(service.circuits()).isEqualTo(1);
    connection.close("done").join();
    await(() -> service.circuits() == 0, "the circuit ends with its connection");
    await(() -> listener.connections(dialler.id()).isEmpty(), "the other end hears of it");
  }

  @Test
  void aLimitedConnectionIsOnlyForThoseWhoAskForOne() {
    relaying(RelayLimits.defaults());
    Host listener = echoingBehindTheRelay();
    Host dialler = dialling();
    dialler.connect(through(listener)).join();
    assertThatThrownBy(() -> dialler.open(listener.id(), ECHO).join())
        .hasMessageContaining("Only a relayed connection");
  }

  @Test
  void aRelayWithoutLimitsGivesAnOrdinaryConnection() {
    relaying(UNLIMITED);
    Host listener = echoingBehindTheRelay();
    Host dialler = dialling();
    assertThat(dialler.connect(through(listener)).join().limited()).isFalse();
    BlockingStream io = dialler.open(listener.id(), ECHO).join().blocking();
    byte[] sent = new byte[3_000_000];
    new Random(2).nextBytes(sent);
    Thread.ofVirtual().start(() -> io.write(sent));
    assertThat(io.readFully(sent.length)).isEqualTo(sent);
  }

  @Test
  void aPeerWithoutAReservationIsNotReached() {
    relaying(RelayLimits.defaults());
    Host listener = echoing();
    listener.connect(at(relay)).join();
    assertThatThrownBy(() -> dialling().connect(through(listener)).join())
        .hasMessageContaining("holds no reservation");
  }

  @Test
  void theWrongPeerBehindARelayFailsTheDial() {
    relaying(RelayLimits.defaults());
    echoingBehindTheRelay();
    PeerId nobody = PeerId.of(key().publicKey());
    assertThatThrownBy(() -> dialling().connect(new PeerAddress(nobody, List.of(circuit()))).join())
        .hasMessageContaining("holds no reservation");
  }

  private static PrivateKey key() {
    return Ed25519PrivateKey.generate(new SecureRandom());
  }

  // ---- the relay's own streams, spoken by hand

  /// A peer that reserves by hand and takes stop streams by hand.
  private static final class Raw {
    final Host host;
    final BlockingQueue<BlockingStream> stops = new LinkedBlockingQueue<>();
    final BlockingQueue<Object> done = new LinkedBlockingQueue<>();

    Raw(Host host) {
      this.host = host;
      host.handle(
          Relay.STOP,
          StreamHandler.blocking((stream, io) -> {
            RelayWire.StopMessage message =
                RelayMessages.stop(io.requireMessage(RelayMessages.BYTES_MAX));
            assertThat(message.getType()).isEqualTo(RelayWire.StopMessage.Type.CONNECT);
            io.writeMessage(RelayMessages.stopStatus(RelayWire.Status.OK));
            stops.add(io);
            done.take();
          }));
    }
  }

  private static RelayWire.HopMessage ask(BlockingStream io, RelayWire.HopMessage question) {
    io.writeMessage(question);
    return RelayMessages.hop(io.requireMessage(RelayMessages.BYTES_MAX));
  }

  private BlockingStream hop(Host from) {
    from.connect(at(relay)).join();
    return from.open(relay.id(), Relay.HOP).join().blocking().timeout(PATIENCE);
  }

  private static final RelayWire.HopMessage RESERVE =
      RelayWire.HopMessage.newBuilder().setType(RelayWire.HopMessage.Type.RESERVE).build();

  private static RelayWire.HopMessage connectTo(PeerId target) {
    return RelayWire.HopMessage.newBuilder()
        .setType(RelayWire.HopMessage.Type.CONNECT)
        .setPeer(RelayMessages.peer(target))
        .build();
  }

  private Raw reserved() {
    Raw raw = new Raw(hidden());
    assertThat(ask(hop(raw.host), RESERVE).getStatus()).isEqualTo(RelayWire.Status.OK);
    return raw;
  }

  @Test
  void aReservationCarriesItsExpiryAddressesLimitsAndVoucher() {
    relaying(limits(Duration.ofSeconds(90), 4321));
    Host peer = hidden();
    RelayWire.HopMessage answer = ask(hop(peer), RESERVE);
    assertThat(answer.getStatus()).isEqualTo(RelayWire.Status.OK);
    assertThat(answer.getLimit().getDuration()).isEqualTo(90);
    assertThat(answer.getLimit().getData()).isEqualTo(4321);
    RelayWire.Reservation reservation = answer.getReservation();
    Instant expiry = Instant.ofEpochSecond(reservation.getExpire());
    assertThat(expiry).isBetween(Instant.now().plusSeconds(3500), Instant.now().plusSeconds(3600));
    assertThat(Voucher.open(reservation.getVoucher().toByteArray(), relay.id(), peer.id()))
        .isEqualTo(new Voucher(relay.id(), peer.id(), expiry));
    assertThat(RelayMessages.addresses(reservation.getAddrsList()))
        .containsExactly(relay.listenAddresses().getFirst().withPeerId(relay.id()));
  }

  @Test
  void exactlyTheLimitOfBytesPassesInEachDirection() throws Exception {
    int limit = 50_000;
    Relay service = relaying(limits(Duration.ofMinutes(2), limit));
    Raw target = reserved();
    BlockingStream source = hop(hidden());
    RelayWire.HopMessage answer = ask(source, connectTo(target.host.id()));
    assertThat(answer.getStatus()).isEqualTo(RelayWire.Status.OK);
    assertThat(answer.getLimit().getData()).isEqualTo(limit);
    BlockingStream stop = target.stops.take().timeout(PATIENCE);

    byte[] there = new byte[limit];
    byte[] back = new byte[limit];
    new Random(3).nextBytes(there);
    new Random(4).nextBytes(back);
    source.write(there);
    assertThat(stop.readFully(limit)).isEqualTo(there);
    stop.write(back);
    assertThat(source.readFully(limit)).isEqualTo(back);
    assertThat(service.circuits()).isEqualTo(1);

    tooMuch(source, 1);
    assertThatThrownBy(() -> stop.read(new byte[1], 0, 1)).isInstanceOf(StreamResetException.class);
    assertThatThrownBy(() -> source.read(new byte[1], 0, 1))
        .isInstanceOf(StreamResetException.class);
    await(() -> service.circuits() == 0, "the circuit is gone");
  }

  /// The relay may cut the circuit before the write that is too much has returned.
  private static void tooMuch(BlockingStream source, int bytes) {
    try {
      source.write(new byte[bytes]);
    } catch (StreamResetException cut) {
      assertThat(cut).isNotNull();
    }
  }

  @Test
  void whatGoesOverTheLimitIsCutAtTheByte() throws Exception {
    int limit = 1000;
    relaying(limits(Duration.ofMinutes(2), limit));
    Raw target = reserved();
    BlockingStream source = hop(hidden());
    ask(source, connectTo(target.host.id()));
    BlockingStream stop = target.stops.take().timeout(PATIENCE);
    source.write(new byte[limit - 1]);
    assertThat(stop.readFully(limit - 1)).hasSize(limit - 1);
    tooMuch(source, 100);
    int more = 0;
    try {
      while (stop.read(new byte[1], 0, 1) > 0) {
        more++;
      }
    } catch (StreamResetException cut) {
      assertThat(more).isLessThanOrEqualTo(1);
      return;
    }
    throw new AssertionError("The circuit was not reset after " + more + " more bytes");
  }

  @Test
  void halfClosesPassThrough() throws Exception {
    Relay service = relaying(RelayLimits.defaults());
    Raw target = reserved();
    BlockingStream source = hop(hidden());
    ask(source, connectTo(target.host.id()));
    BlockingStream stop = target.stops.take().timeout(PATIENCE);
    source.write("question".getBytes(UTF_8));
    source.closeWrite();
    assertThat(stop.input().readAllBytes()).asString(UTF_8).isEqualTo("question");
    stop.write("answer".getBytes(UTF_8));
    stop.closeWrite();
    assertThat(source.input().readAllBytes()).asString(UTF_8).isEqualTo("answer");
    await(() -> service.circuits() == 0, "both have ended");
  }

  @Test
  void aResetPassesThrough() throws Exception {
    Relay service = relaying(RelayLimits.defaults());
    Raw target = reserved();
    Host from = hidden();
    from.connect(at(relay)).join();
    Stream stream = from.open(relay.id(), Relay.HOP).join();
    BlockingStream source = stream.blocking();
    ask(source, connectTo(target.host.id()));
    BlockingStream stop = target.stops.take().timeout(PATIENCE);
    stream.reset();
    assertThatThrownBy(() -> stop.read(new byte[1], 0, 1)).isInstanceOf(StreamResetException.class);
    await(() -> service.circuits() == 0, "the circuit is gone");
  }

  @Test
  void aCircuitEndsWhenItsTimeIsOver() throws Exception {
    // Longer than a busy machine keeps this side from reading the relay's answer.
    Relay service = relaying(limits(Duration.ofSeconds(3), 0));
    Raw target = reserved();
    BlockingStream source = hop(hidden());
    long start = System.nanoTime();
    assertThat(ask(source, connectTo(target.host.id())).getLimit().getDuration()).isEqualTo(3);
    BlockingStream stop = target.stops.take().timeout(PATIENCE);
    assertThatThrownBy(() -> stop.read(new byte[1], 0, 1)).isInstanceOf(StreamResetException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isGreaterThanOrEqualTo(Duration.ofSeconds(3));
    await(() -> service.circuits() == 0, "the circuit is gone");
  }

  @Test
  void aSlowReaderStopsTheFarWriterAndNothingPilesUpAtTheRelay() throws Exception {
    relaying(UNLIMITED);
    Raw target = reserved();
    BlockingStream source = hop(hidden());
    ask(source, connectTo(target.host.id()));
    BlockingStream stop = target.stops.take().timeout(PATIENCE);
    byte[] chunk = new byte[64 * 1024];
    source.timeout(Duration.ofMillis(500));
    long written = 0;
    try {
      while (written < 64 * 1024 * 1024) {
        source.write(chunk);
        written += chunk.length;
      }
    } catch (StreamTimeoutException blocked) {
      // The chunk is queued at the writer all the same.
      written += chunk.length;
    }
    assertThat(written).isLessThan(8 * 1024 * 1024);
    byte[] read = new byte[chunk.length];
    for (long left = written; left > 0; left -= read.length) {
      stop.readFully(read, 0, read.length);
    }
  }

  @Test
  void aReservationEndsAtItsTime() throws Exception {
    AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    InstantSource clock = now::get;
    Relay service = Relay.start(relay, RelayLimits.defaults(), clock);
    open.add(service);
    Raw target = reserved();
    assertThat(service.reservations()).isEqualTo(1);
    now.set(now.get().plus(Duration.ofHours(1)));
    assertThat(ask(hop(hidden()), connectTo(target.host.id())).getStatus())
        .isEqualTo(RelayWire.Status.NO_RESERVATION);
    assertThat(service.reservations()).isZero();
    assertThat(ask(hop(target.host), RESERVE).getStatus()).isEqualTo(RelayWire.Status.OK);
    assertThat(ask(hop(hidden()), connectTo(target.host.id())).getStatus())
        .isEqualTo(RelayWire.Status.OK);
  }

  @Test
  void aReservationEndsWithItsConnection() throws Exception {
    Relay service = relaying(RelayLimits.defaults());
    Raw target = reserved();
    target.host.disconnect(relay.id(), "leaving").join();
    await(() -> service.reservations() == 0, "the reservation is gone");
  }

  @Test
  void reservationsAreRefusedWhenThereAreTooMany() {
    relaying(new RelayLimits(2, 8, 16, Duration.ofHours(1), Duration.ofMinutes(2), 1000));
    reserved();
    reserved();
    assertThat(ask(hop(hidden()), RESERVE).getStatus())
        .isEqualTo(RelayWire.Status.RESERVATION_REFUSED);
  }

  @Test
  void reservationsAreRefusedWhenTooManyComeFromOneAddress() {
    relaying(new RelayLimits(128, 2, 16, Duration.ofHours(1), Duration.ofMinutes(2), 1000));
    reserved();
    reserved();
    Host third = echoing();
    assertThatThrownBy(() -> third.network().listen(circuit()).join())
        .hasMessageContaining("no reservation to give");
    assertThat(third.addresses()).isEmpty();
  }

  @Test
  void circuitsAreRefusedWhenAPeerHasTooMany() {
    relaying(new RelayLimits(128, 8, 2, Duration.ofHours(1), Duration.ofMinutes(2), 1000));
    Raw target = reserved();
    Host from = hidden();
    assertThat(ask(hop(from), connectTo(target.host.id())).getStatus())
        .isEqualTo(RelayWire.Status.OK);
    assertThat(ask(hop(from), connectTo(target.host.id())).getStatus())
        .isEqualTo(RelayWire.Status.OK);
    assertThat(ask(hop(from), connectTo(target.host.id())).getStatus())
        .isEqualTo(RelayWire.Status.RESOURCE_LIMIT_EXCEEDED);
  }

  @Test
  void neitherReservesNorConnectsOverARelayedConnection() {
    relaying(RelayLimits.defaults());
    Host second = hidden();
    RelayTransport.start(second);
    second.network().listen(circuit()).join();
    open.add(Relay.start(second, RelayLimits.defaults()));
    Host peer = dialling();
    peer.connect(through(second)).join();
    for (RelayWire.HopMessage question : List.of(RESERVE, connectTo(relay.id()))) {
      BlockingStream io = peer.openLimited(second.id(), Relay.HOP).join().blocking();
      assertThat(ask(io, question).getStatus()).isEqualTo(RelayWire.Status.PERMISSION_DENIED);
    }
  }

  @Test
  void garbageIsAnsweredAsMalformedAndHarmsNobody() {
    relaying(RelayLimits.defaults());
    Host peer = hidden();
    BlockingStream broken = hop(peer);
    broken.writeMessage(new byte[] {1, 2, 3});
    assertThat(RelayMessages.hop(broken.requireMessage(RelayMessages.BYTES_MAX)).getStatus())
        .isEqualTo(RelayWire.Status.MALFORMED_MESSAGE);
    BlockingStream noPeer = hop(peer);
    assertThat(
            ask(
                    noPeer,
                    RelayWire.HopMessage.newBuilder()
                        .setType(RelayWire.HopMessage.Type.CONNECT)
                        .setPeer(RelayWire.Peer.newBuilder().setId(ByteString.copyFromUtf8("x")))
                        .build())
                .getStatus())
        .isEqualTo(RelayWire.Status.MALFORMED_MESSAGE);
    BlockingStream huge = hop(peer);
    // The relay may reset at the length's first bytes, so the write can be what notices.
    assertThatThrownBy(
            () -> {
              huge.write(new byte[] {(byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0x7f});
              huge.read(new byte[1], 0, 1);
            })
        .isInstanceOf(StreamResetException.class);
    assertThat(ask(hop(peer), RESERVE).getStatus()).isEqualTo(RelayWire.Status.OK);
  }

  @Test
  void aRelayThatForgesItsVoucherIsNotListenedOn() {
    PrivateKey other = key();
    relay.handle(
        Relay.HOP,
        StreamHandler.blocking((stream, io) -> {
          io.requireMessage(RelayMessages.BYTES_MAX);
          Instant expiry = Instant.now().plusSeconds(600);
          io.writeMessage(
              RelayMessages.hopStatus(RelayWire.Status.OK).toBuilder()
                  .setReservation(
                      RelayWire.Reservation.newBuilder()
                          .setExpire(expiry.getEpochSecond())
                          .setVoucher(
                              ByteString.copyFrom(
                                  new Voucher(relay.id(), stream.peer(), expiry)
                                      .seal(other)
                                      .bytes())))
                  .build());
        }));
    Host listener = echoing();
    assertThatThrownBy(() -> listener.network().listen(circuit()).join())
        .hasMessageContaining("is signed by");
    assertThat(listener.addresses()).isEmpty();
  }

  /// A relay looks at its clock when it is asked for a reservation, and seldom else.
  private static final class WatchedClock implements InstantSource {
    private Instant now = Instant.now();
    private int looks;

    @Override
    public synchronized Instant instant() {
      looks++;
      return now;
    }

    /// How often it was looked at since it was advanced.
    synchronized int looks() {
      return looks;
    }

    synchronized void advance(Duration by) {
      now = now.plus(by);
      looks = 0;
    }
  }

  @Test
  void aReservationIsRenewedBeforeItExpires() throws Exception {
    WatchedClock clock = new WatchedClock();
    RelayLimits limits = RelayLimits.defaults();
    // To the listener the reservation is nearly over, so that it renews after a second or so.
    Instant nearlyOver = clock.instant().plus(limits.reservationTime()).minusMillis(1500);
    Relay service = Relay.start(relay, limits, clock);
    open.add(service);
    Host listener = hidden();
    RelayTransport.start(listener, () -> nearlyOver);
    listener.network().listen(circuit()).join();

    Duration most = limits.reservationTime().multipliedBy(2).dividedBy(3);
    clock.advance(most);
    await(() -> clock.looks() > 0, "the renewal");
    clock.advance(most);
    // The first is over; the second may still be on its way from the clock to where it is kept.
    await(() -> service.reservations() == 1, "the renewed one");
    assertThat(dialling().connect(through(listener)).join().isOpen()).isTrue();
  }

  @Test
  void aListenerComesBackWhenItsRelayWasLost() throws Exception {
    WatchedClock clock = new WatchedClock();
    open.add(Relay.start(relay, RelayLimits.defaults(), clock));
    Host listener = echoingBehindTheRelay();
    Connection lost = listener.connections(relay.id()).getFirst();
    int before = clock.looks();
    relay.disconnect(listener.id(), "the relay loses it").join();
    await(() -> !lost.isOpen(), "the listener hears of it");
    await(() -> clock.looks() > before, "reserves again");
    await(() -> listener.addresses().contains(circuit()), "announces it again");
    assertThat(dialling().connect(through(listener)).join().isOpen()).isTrue();
  }

  @Test
  void aClosedListenerTakesNoConnections() throws Exception {
    relaying(RelayLimits.defaults());
    Host listener = echoing();
    Listener listening = listener.network().listen(circuit()).join();
    listening.close().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    assertThatThrownBy(() -> dialling().connect(through(listener)).join())
        .hasMessageContaining("did not take the connection");
  }

  @Test
  void aRelayThatClosesEndsItsCircuits() throws Exception {
    Relay service = Relay.start(relay, RelayLimits.defaults());
    Host listener = echoingBehindTheRelay();
    Connection connection = dialling().connect(through(listener)).join();
    service.close();
    connection.closed().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    await(() -> service.circuits() == 0, "the circuit is gone");
    assertThat(relay.protocols()).doesNotContain(Relay.HOP);
  }
}
