package io.rigmesh.libp2p.relay;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.FirstMessage;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import io.rigmesh.libp2p.transport.Failures;
import java.net.Inet6Address;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets peers that nobody can dial be reached through this host (specification circuit relay v2,
/// "Hop Protocol"). Thread-safe.
public final class Relay implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

  /// What those who reserve and connect speak with a relay.
  public static final ProtocolId HOP = new ProtocolId("/libp2p/circuit/relay/0.2.0/hop");

  /// What a relay speaks with the peer that a connection is for.
  public static final ProtocolId STOP = new ProtocolId("/libp2p/circuit/relay/0.2.0/stop");

  private static final String TAG = "relay-reservation";
  private static final int TOLD_ADDRESSES_MAX = 8;
  private static final long SWEEP_SECONDS = 30;

  private final Host host;
  private final RelayLimits limits;
  private final InstantSource clock;
  private final Reservations reservations;
  private final Set<Circuit> circuits = ConcurrentHashMap.newKeySet();
  private final ConnectionListener departures = new Departures();
  private final Future<?> sweep;
  private volatile boolean closed;

  private Relay(Host host, RelayLimits limits, InstantSource clock) {
    this.host = host;
    this.limits = limits;
    this.clock = clock;
    this.reservations = new Reservations(limits);
    this.sweep =
        host.network()
            .eventLoops()
            .group()
            .scheduleWithFixedDelay(this::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
  }

  /// Starts to relay.
  public static Relay start(Host host, RelayLimits limits) {
    return start(host, limits, InstantSource.system());
  }

  static Relay start(Host host, RelayLimits limits, InstantSource clock) {
    Relay relay = new Relay(host, limits, clock);
    host.addListener(relay.departures);
    host.handle(HOP, relay::accept);
    return relay;
  }

  /// Reservations that are held now.
  public int reservations() {
    return reservations.count(clock.instant());
  }

  /// Relayed connections that are open now.
  public int circuits() {
    return reservations.circuits();
  }

  private void accept(Stream stream) {
    FirstMessage.read(stream.channel(), HOP.name(), RelayMessages.BYTES_MAX, RelayMessages.TIMEOUT)
        .whenComplete((bytes, failure) -> {
          if (failure != null) {
            LOG.debug("{}: {}", stream, Failures.message(failure));
            stream.reset();
            return;
          }
          try {
            serve(stream, RelayMessages.hop(bytes));
          } catch (PeerMisbehaviourException e) {
            LOG.debug("{}: {}", stream, e.getMessage());
            answer(stream, RelayMessages.hopStatus(RelayWire.Status.MALFORMED_MESSAGE));
          }
        });
  }

  private void serve(Stream stream, RelayWire.HopMessage message) {
    switch (message.getType()) {
      case RESERVE -> reserve(stream);
      case CONNECT -> connect(stream, RelayMessages.peerId(HOP.name(), message.getPeer()));
      case STATUS -> answer(stream, RelayMessages.hopStatus(RelayWire.Status.UNEXPECTED_MESSAGE));
    }
  }

  private static void answer(Stream stream, RelayWire.HopMessage message) {
    stream.channel().writeAndFlush(FirstMessage.framed(message));
    stream.close();
  }

  private void reserve(Stream stream) {
    Connection connection = stream.connection();
    PeerId peer = stream.peer();
    if (closed || RelayMessages.relayed(connection)) {
      answer(stream, RelayMessages.hopStatus(RelayWire.Status.PERMISSION_DENIED));
      return;
    }
    Optional<Instant> expiry = reservations.reserve(peer, origin(connection), clock.instant());
    if (expiry.isEmpty()) {
      LOG.debug("Refused a reservation to {}: too many are held", peer);
      answer(stream, RelayMessages.hopStatus(RelayWire.Status.RESERVATION_REFUSED));
      return;
    }
    host.connectionManager().protect(peer, TAG);
    if (!connection.isOpen()) {
      // It has gone while the reservation was made, and its departure may have been heard before.
      release(peer);
    }
    RelayWire.Reservation.Builder reservation =
        RelayWire.Reservation.newBuilder()
            .setExpire(expiry.get().getEpochSecond())
            .setVoucher(
                ByteString.copyFrom(
                    new Voucher(host.id(), peer, expiry.get()).seal(host.key()).bytes()));
    for (Multiaddr address : toldAddresses()) {
      reservation.addAddrs(ByteString.copyFrom(address.bytes()));
    }
    RelayWire.HopMessage.Builder answer =
        RelayMessages.hopStatus(RelayWire.Status.OK).toBuilder().setReservation(reservation);
    if (limits.limitCircuits()) {
      answer.setLimit(RelayMessages.limit(limits));
    }
    answer(stream, answer.build());
  }

  /// This host's own addresses, with its peer id, as those who reserve will announce them: loopback
  /// ones only when there are no others.
  private List<Multiaddr> toldAddresses() {
    List<Multiaddr> own =
        host.addresses().stream()
            .filter(address -> !address.isEmpty() && !address.has(AddressProtocol.P2P_CIRCUIT))
            .toList();
    List<Multiaddr> far = own.stream().filter(address -> !loopback(address)).toList();
    return (far.isEmpty() ? own : far)
        .stream().limit(TOLD_ADDRESSES_MAX).map(address -> address.withPeerId(host.id())).toList();
  }

  private static boolean loopback(Multiaddr address) {
    AddressPart first = address.parts().getFirst();
    return isIp(first) && first.address().isLoopbackAddress();
  }

  private static boolean isIp(AddressPart part) {
    return part.protocol() == AddressProtocol.IP4 || part.protocol() == AddressProtocol.IP6;
  }

  /// What counts as one origin: an IPv4 address, an IPv6 network of 64 bits, else the peer itself.
  private static String origin(Connection connection) {
    Multiaddr address = connection.remoteAddress();
    if (address.isEmpty() || !isIp(address.parts().getFirst())) {
      return connection.peer().toString();
    }
    AddressPart ip = address.parts().getFirst();
    return ip.address() instanceof Inet6Address
        ? Arrays.toString(Arrays.copyOf(ip.bytes(), 8))
        : ip.text();
  }

  private void connect(Stream source, PeerId targetId) {
    if (closed || RelayMessages.relayed(source.connection())) {
      answer(source, RelayMessages.hopStatus(RelayWire.Status.PERMISSION_DENIED));
      return;
    }
    Optional<Connection> to =
        host.connections(targetId).stream()
            .filter(connection -> connection.isOpen() && !RelayMessages.relayed(connection))
            .findFirst();
    if (to.isEmpty() || !reservations.holds(targetId, clock.instant())) {
      answer(source, RelayMessages.hopStatus(RelayWire.Status.NO_RESERVATION));
      return;
    }
    if (!reservations.openCircuit(source.peer(), targetId)) {
      answer(source, RelayMessages.hopStatus(RelayWire.Status.RESOURCE_LIMIT_EXCEEDED));
      return;
    }
    to.get()
        .open(List.of(STOP))
        .whenComplete((target, failure) -> {
          if (failure != null) {
            LOG.debug("{} does not take a stop stream: {}", targetId, Failures.message(failure));
            reservations.closeCircuit(source.peer(), targetId);
            answer(source, RelayMessages.hopStatus(RelayWire.Status.CONNECTION_FAILED));
          } else {
            ask(source, target);
          }
        });
  }

  /// Asks the target whether it takes the connection, and joins the two streams if it does.
  private void ask(Stream source, Stream target) {
    Circuit circuit = new Circuit(source, target, limits);
    circuits.add(circuit);
    circuit
        .ended()
        .thenRun(() -> {
          circuits.remove(circuit);
          reservations.closeCircuit(source.peer(), target.peer());
        });
    if (closed) {
      circuit.abort();
      return;
    }
    RelayWire.StopMessage.Builder question =
        RelayWire.StopMessage.newBuilder()
            .setType(RelayWire.StopMessage.Type.CONNECT)
            .setPeer(RelayMessages.peer(source.peer()));
    if (limits.limitCircuits()) {
      question.setLimit(RelayMessages.limit(limits));
    }
    target.channel().writeAndFlush(FirstMessage.framed(question.build()));
    target
        .channel()
        .eventLoop()
        .execute(() ->
            FirstMessage.read(
                    target.channel(), STOP.name(), RelayMessages.BYTES_MAX, RelayMessages.TIMEOUT)
                .whenComplete((bytes, failure) -> join(circuit, source, target, bytes, failure)));
  }

  private void join(
      Circuit circuit,
      Stream source,
      Stream target,
      byte @Nullable [] bytes,
      @Nullable Throwable failure) {
    RelayWire.Status status = RelayWire.Status.CONNECTION_FAILED;
    if (bytes == null) {
      LOG.debug("{}: {}", target, failure == null ? "no answer" : Failures.message(failure));
    } else {
      try {
        RelayWire.StopMessage answer = RelayMessages.stop(bytes);
        if (answer.getType() == RelayWire.StopMessage.Type.STATUS) {
          status = answer.getStatus();
        }
      } catch (PeerMisbehaviourException e) {
        LOG.debug("{}: {}", target, e.getMessage());
      }
    }
    if (status != RelayWire.Status.OK) {
      target.reset();
      answer(source, RelayMessages.hopStatus(RelayWire.Status.CONNECTION_FAILED));
      return;
    }
    RelayWire.HopMessage.Builder answer = RelayMessages.hopStatus(RelayWire.Status.OK).toBuilder();
    if (limits.limitCircuits()) {
      answer.setLimit(RelayMessages.limit(limits));
    }
    source.channel().writeAndFlush(FirstMessage.framed(answer.build()));
    circuit.start();
  }

  /// The host keeps connections of peers that hold reservations; those whose time is over may go.
  private void sweep() {
    reservations.expire(clock.instant()).forEach(this::unprotect);
  }

  private void release(PeerId peer) {
    if (reservations.remove(peer)) {
      unprotect(peer);
    }
  }

  private void unprotect(PeerId peer) {
    host.connectionManager().unprotect(peer, TAG);
  }

  /// A reservation lasts no longer than the connection it was made on.
  private final class Departures implements ConnectionListener {
    @Override
    public void disconnected(Connection connection, String reason) {
      boolean direct =
          host.connections(connection.peer()).stream()
              .anyMatch(other -> other.isOpen() && !RelayMessages.relayed(other));
      if (!direct) {
        release(connection.peer());
      }
    }
  }

  /// Stops relaying: reservations end and relayed connections are reset.
  @Override
  public void close() {
    closed = true;
    sweep.cancel(false);
    host.unhandle(HOP);
    host.removeListener(departures);
    circuits.forEach(Circuit::abort);
    reservations.expire(Instant.MAX).forEach(this::unprotect);
  }
}
