package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.FirstMessage;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import io.rigmesh.libp2p.transport.ConnectionAcceptor;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.Listener;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Holds a reservation with one relay: renews it before it expires, and makes a new one when the
/// connection to the relay was lost.
final class RelayListener implements Listener {
  private static final Logger LOG = LoggerFactory.getLogger(RelayListener.class);
  private static final String TAG = "relay-client";
  private static final Duration RENEWAL_MIN = Duration.ofSeconds(1);
  private static final Duration RENEWAL_MAX = Duration.ofDays(1);
  private static final Duration RETRY_MIN = Duration.ofSeconds(1);
  private static final Duration RETRY_MAX = Duration.ofMinutes(1);
  private static final int ANNOUNCED_MAX = 8;

  private final Host host;
  private final RelayedAddress to;
  private final ConnectionAcceptor acceptor;
  private final InstantSource clock;
  private final Consumer<RelayListener> gone;
  private final CompletableFuture<Void> first = new CompletableFuture<>();
  private final CompletableFuture<Void> closing = new CompletableFuture<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private volatile List<Multiaddr> announced = List.of();

  private record Reserved(Connection connection, Instant expiry, List<Multiaddr> addresses) {}

  /// @param gone hears when the listener is closed or has never come to be
  RelayListener(
      Host host,
      RelayedAddress to,
      ConnectionAcceptor acceptor,
      InstantSource clock,
      Consumer<RelayListener> gone) {
    this.host = host;
    this.to = to;
    this.acceptor = acceptor;
    this.clock = clock;
    this.gone = gone;
  }

  /// Completes when the first reservation is made; fails when it is refused.
  CompletableFuture<Void> start() {
    Thread.ofVirtual().name("relay-reservation").start(this::hold);
    return first;
  }

  PeerId relay() {
    return to.relay().peer();
  }

  ConnectionAcceptor acceptor() {
    return acceptor;
  }

  /// Empty while no reservation is held.
  List<Multiaddr> announced() {
    return announced;
  }

  @Override
  public Multiaddr address() {
    return to.whole();
  }

  /// Ends the renewals; the relay forgets the reservation in its own time.
  @Override
  public CompletableFuture<Void> close() {
    closing.complete(null);
    return closed;
  }

  private void hold() {
    host.connectionManager().protect(relay(), TAG);
    try {
      Duration retry = RETRY_MIN;
      while (!closing.isDone()) {
        try {
          Reserved reserved = reserve();
          announced = reserved.addresses();
          first.complete(null);
          retry = RETRY_MIN;
          holdUntilRenewal(reserved);
        } catch (Libp2pException e) {
          announced = List.of();
          if (!first.isDone()) {
            first.completeExceptionally(e);
            return;
          }
          LOG.debug("The reservation with relay {} is lost: {}", relay(), e.getMessage());
          waitFor(closing, retry);
          retry =
              retry.multipliedBy(2).compareTo(RETRY_MAX) < 0 ? retry.multipliedBy(2) : RETRY_MAX;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      announced = List.of();
      host.connectionManager().unprotect(relay(), TAG);
      gone.accept(this);
      first.completeExceptionally(new Libp2pException("The relay listener was closed"));
      closed.complete(null);
    }
  }

  private void holdUntilRenewal(Reserved reserved) throws InterruptedException {
    Duration left = Duration.between(clock.instant(), reserved.expiry());
    Duration renewal = left.multipliedBy(3).dividedBy(4);
    if (renewal.compareTo(RENEWAL_MIN) < 0) {
      renewal = RENEWAL_MIN;
    } else if (renewal.compareTo(RENEWAL_MAX) > 0) {
      renewal = RENEWAL_MAX;
    }
    CompletableFuture<String> lost = reserved.connection().closed();
    waitFor(CompletableFuture.anyOf(closing, lost), renewal);
    if (lost.isDone()) {
      announced = List.of();
    }
  }

  private static void waitFor(CompletableFuture<?> event, Duration atMost)
      throws InterruptedException {
    try {
      event.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException over) {
      // Either way it is time to go on.
    }
  }

  private Reserved reserve() throws InterruptedException {
    CompletableFuture<Reserved> result = new CompletableFuture<>();
    closing.thenRun(
        () -> result.completeExceptionally(new Libp2pException("The relay listener was closed")));
    RelayTransport.openHop(host, to, result)
        .whenComplete((stream, failure) -> {
          if (failure != null) {
            result.completeExceptionally(Failures.unwrapped(failure));
          } else {
            stream.channel().eventLoop().execute(() -> ask(stream, result));
          }
        });
    try {
      return result.get();
    } catch (ExecutionException e) {
      if (Failures.unwrapped(e) instanceof Libp2pException known) {
        throw known;
      }
      throw new Libp2pException(
          "No reservation with relay " + relay() + ": " + Failures.message(e), e);
    }
  }

  private void ask(Stream stream, CompletableFuture<Reserved> result) {
    stream
        .channel()
        .writeAndFlush(
            FirstMessage.framed(
                RelayWire.HopMessage.newBuilder()
                    .setType(RelayWire.HopMessage.Type.RESERVE)
                    .build()));
    FirstMessage.read(
            stream.channel(), Relay.HOP.name(), RelayMessages.BYTES_MAX, RelayMessages.TIMEOUT)
        .thenApply(bytes -> accepted(stream.connection(), RelayMessages.hop(bytes)))
        .whenComplete((reserved, failure) -> {
          if (failure != null) {
            stream.reset();
            result.completeExceptionally(Failures.unwrapped(failure));
          } else {
            stream.close();
            result.complete(reserved);
          }
        });
  }

  private Reserved accepted(Connection connection, RelayWire.HopMessage answer) {
    if (answer.getType() != RelayWire.HopMessage.Type.STATUS
        || answer.getStatus() != RelayWire.Status.OK) {
      throw new Libp2pException(
          "The relay " + relay() + " gives no reservation: " + RelayTransport.reason(answer));
    }
    RelayWire.Reservation reservation = answer.getReservation();
    if (reservation.hasVoucher()) {
      Voucher.open(reservation.getVoucher().toByteArray(), relay(), host.id());
    }
    Set<Multiaddr> addresses = new LinkedHashSet<>();
    addresses.add(connection.remoteAddress().withPeerId(relay()).then("/p2p-circuit"));
    for (Multiaddr told : RelayMessages.addresses(reservation.getAddrsList())) {
      if (addresses.size() < ANNOUNCED_MAX
          && !told.has(AddressProtocol.P2P_CIRCUIT)
          && told.peerId().map(relay()::equals).orElse(true)) {
        addresses.add(told.withPeerId(relay()).then("/p2p-circuit"));
      }
    }
    return new Reserved(
        connection,
        Instant.ofEpochSecond(Math.clamp(reservation.getExpire(), 0, 1L << 40)),
        List.copyOf(addresses));
  }
}
