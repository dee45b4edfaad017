package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.autonat.AutoNat;
import io.rigmesh.libp2p.autonat.Reachability;
import io.rigmesh.libp2p.autonat.ReachabilityListener;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.Listener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps reservations with relays while AutoNAT says that this host cannot be dialled. Thread-safe.
public final class AutoRelay implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AutoRelay.class);

  /// How often lost reservations are replaced.
  private static final Duration TURN = Duration.ofSeconds(10);

  /// How long a relay that refused is left alone.
  private static final Duration REST = Duration.ofMinutes(5);

  private static final Duration RESERVE_TIMEOUT = Duration.ofSeconds(30);
  private static final int REMEMBERED_MAX = 256;

  private final Host host;
  private final RelayTransport transport;
  private final AutoNat autoNat;
  private final Supplier<List<PeerAddress>> candidates;
  private final int reservations;
  private final ReachabilityListener onChange = reachability -> wake();
  private final Semaphore turns = new Semaphore(1);
  private final Map<PeerId, Held> held = new LinkedHashMap<>();
  private final Map<PeerId, Instant> resting = new HashMap<>();
  private final Thread thread;
  private volatile boolean closed;

  /// @param since when it last held a reservation
  private record Held(RelayListener listener, Instant since) {}

  private AutoRelay(
      Host host,
      RelayTransport transport,
      AutoNat autoNat,
      Supplier<List<PeerAddress>> candidates,
      int reservations) {
    this.host = host;
    this.transport = transport;
    this.autoNat = autoNat;
    this.candidates = candidates;
    this.reservations = reservations;
    this.thread = Thread.ofVirtual().name("auto-relay").unstarted(this::run);
  }

  /// Starts to watch AutoNAT.
  ///
  /// @param candidates peers that may be relays, besides the connected ones that serve [Relay#HOP]
  /// @param reservations how many to hold, 1 or 2 as a rule
  public static AutoRelay start(
      Host host,
      RelayTransport transport,
      AutoNat autoNat,
      Supplier<List<PeerAddress>> candidates,
      int reservations) {
    AutoRelay relays = new AutoRelay(host, transport, autoNat, candidates, reservations);
    autoNat.addListener(relays.onChange);
    relays.thread.start();
    return relays;
  }

  private void wake() {
    turns.release();
  }

  private void run() {
    try {
      while (!closed) {
        if (turns.tryAcquire(TURN.toMillis(), TimeUnit.MILLISECONDS)) {
          turns.drainPermits();
        }
        if (!closed) {
          turn();
        }
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    } finally {
      held.values().forEach(one -> one.listener().close());
    }
  }

  private void turn() throws InterruptedException {
    if (autoNat.reachability() == Reachability.PUBLIC) {
      held.values().forEach(one -> one.listener().close());
      held.clear();
      return;
    }
    refreshHeld();
    if (autoNat.reachability() != Reachability.PRIVATE) {
      return;
    }
    for (PeerAddress candidate : possible()) {
      List<PeerId> lost = lost();
      if (closed || held.size() - lost.size() >= reservations) {
        return;
      }
      if (reserve(candidate) && held.size() > reservations) {
        drop(lost.getFirst());
      }
    }
  }

  private void refreshHeld() {
    Instant now = Instant.now();
    held.replaceAll(
        (peer, one) -> one.listener().announced().isEmpty() ? one : new Held(one.listener(), now));
    resting.values().removeIf(since -> since.plus(REST).isBefore(now));
  }

  /// Relays that have not given their reservation back for long make room for others; while there
  /// are none, their listeners go on asking.
  private List<PeerId> lost() {
    Instant latest = Instant.now().minus(TURN.multipliedBy(2));
    return held.entrySet().stream()
        .filter(entry -> entry.getValue().since().isBefore(latest))
        .map(Map.Entry::getKey)
        .toList();
  }

  private void drop(PeerId relay) {
    Held lost = held.remove(relay);
    if (lost != null) {
      lost.listener().close();
      resting.put(relay, Instant.now());
    }
  }

  private List<PeerAddress> possible() {
    Map<PeerId, PeerAddress> all = new LinkedHashMap<>();
    for (Connection connection : host.connections()) {
      if (!RelayMessages.relayed(connection)
          && host.peerStore().protocols(connection.peer()).contains(Relay.HOP)) {
        all.put(
            connection.peer(),
            new PeerAddress(connection.peer(), List.of(connection.remoteAddress())));
      }
    }
    List<PeerAddress> connected = new ArrayList<>(all.values());
    // Everyone would use the same relay otherwise.
    Collections.shuffle(connected);
    List<PeerAddress> out = new ArrayList<>(connected);
    for (PeerAddress given : candidates.get()) {
      if (!all.containsKey(given.peer())) {
        out.add(given);
      }
    }
    out.removeIf(one ->
        one.peer().equals(host.id())
            || held.containsKey(one.peer())
            || resting.containsKey(one.peer()));
    return out;
  }

  private boolean reserve(PeerAddress relay) throws InterruptedException {
    Optional<Multiaddr> address = listening(relay);
    if (address.isEmpty()) {
      return false;
    }
    var listening = transport.listen(address.get(), host.network().acceptor());
    try {
      Listener listener = listening.get(RESERVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      held.put(relay.peer(), new Held((RelayListener) listener, Instant.now()));
      LOG.info("Reachable through relay {}", relay.peer());
      host.identify().pushChanges();
      return true;
    } catch (ExecutionException | TimeoutException e) {
      listening.thenAccept(Listener::close);
      LOG.debug("No reservation with {}: {}", relay.peer(), Failures.message(e));
      if (resting.size() < REMEMBERED_MAX) {
        resting.put(relay.peer(), Instant.now());
      }
      return false;
    }
  }

  /// The address to listen on; one suffices, for the host knows the peer's others.
  private static Optional<Multiaddr> listening(PeerAddress relay) {
    return relay.addresses().stream()
        .filter(address -> !address.has(AddressProtocol.P2P_CIRCUIT))
        .findFirst()
        .map(address -> address.withPeerId(relay.peer()).then("/p2p-circuit"));
  }

  /// Gives the reservations back.
  @Override
  public void close() {
    closed = true;
    autoNat.removeListener(onChange);
    wake();
  }
}
