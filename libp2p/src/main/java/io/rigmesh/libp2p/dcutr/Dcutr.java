package io.rigmesh.libp2p.dcutr;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.dcutr.wire.DcutrWire.HolePunch;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.Failures;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Replaces relayed connections by direct ones: both sides dial at the same moment, so that each
/// side's router lets the other in (specification DCUtR). The side that has accepted the relayed
/// connection starts; in the handshakes of the direct one it is the server. Thread-safe.
public final class Dcutr implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Dcutr.class);

  public static final ProtocolId PROTOCOL = new ProtocolId("/libp2p/dcutr");

  private static final Duration MESSAGE_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration IDENTIFY_TIMEOUT = Duration.ofSeconds(6);

  /// Addresses dialled in one attempt: nobody makes this host knock at more doors at once.
  private static final int DIALLED_MAX = 8;

  /// Upgrades under way at once.
  private static final int CONCURRENT_MAX = 64;

  /// A dial that was refused at once, before the remote's router was ready, is made again.
  private static final long AGAIN_MS = 150;

  private static final long DRAIN_POLL_MS = 500;

  private final Host host;
  private final DcutrSettings settings;
  private final DirectConnections direct;
  private final ConnectionListener watch = new Watch();
  private final Set<PeerId> upgrading = ConcurrentHashMap.newKeySet();
  private final Set<Connection> retiring = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private Dcutr(Host host, DcutrSettings settings) {
    this.host = host;
    this.settings = settings;
    this.direct = new DirectConnections(host);
  }

  /// Starts to upgrade relayed connections.
  public static Dcutr start(Host host, DcutrSettings settings) {
    Dcutr dcutr = new Dcutr(host, settings);
    host.handle(PROTOCOL, StreamHandler.blocking(dcutr::answer));
    host.addListener(dcutr.watch);
    return dcutr;
  }

  private final class Watch implements ConnectionListener {
    @Override
    public void connected(Connection connection) {
      PeerId peer = connection.peer();
      if (!DirectConnections.relayed(connection)) {
        direct.connected(connection);
        host.connections(peer).stream()
            .filter(DirectConnections::relayed)
            .forEach(Dcutr.this::retire);
      } else if (direct.to(peer).isPresent()) {
        retire(connection);
      } else if (connection.direction() == Direction.INBOUND) {
        inBackground(peer, () -> upgrade(connection));
      }
    }
  }

  /// What runs on a virtual thread of its own, and may be interrupted or fail.
  private interface Task {
    void run() throws InterruptedException;
  }

  /// One upgrade with a peer at a time.
  private boolean inBackground(PeerId peer, Task task) {
    if (closed || upgrading.size() >= CONCURRENT_MAX || !upgrading.add(peer)) {
      return false;
    }
    Thread.ofVirtual()
        .name("dcutr")
        .start(() -> {
          try {
            task.run();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } catch (Libp2pException e) {
            LOG.debug("No direct connection with {}: {}", peer, e.getMessage());
          } finally {
            upgrading.remove(peer);
          }
        });
    return true;
  }

  // ---- the side that has accepted the relayed connection

  private void upgrade(Connection relayed) throws InterruptedException {
    PeerId peer = relayed.peer();
    List<Multiaddr> told = usable(identified(relayed));
    if (!told.isEmpty() && dial(peer, told, host.network()::dial)) {
      LOG.debug("{} could be dialled directly", peer);
      return;
    }
    for (int attempt = 1; attempt <= settings.attempts(); attempt++) {
      if (closed || !relayed.isOpen() || direct.to(peer).isPresent()) {
        return;
      }
      try {
        if (punch(relayed)) {
          LOG.debug("A hole to {} was punched at attempt {}", peer, attempt);
          return;
        }
      } catch (Libp2pException e) {
        LOG.debug("Attempt {} with {} failed: {}", attempt, peer, e.getMessage());
      }
    }
    LOG.debug("{} stays behind its relay", peer);
  }

  private List<Multiaddr> identified(Connection connection) throws InterruptedException {
    try {
      return host.identify()
          .identified(connection)
          .get(IDENTIFY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
          .addresses();
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("{} is not identified: {}", connection.peer(), Failures.message(e));
      return List.of();
    }
  }

  private boolean punch(Connection relayed) throws InterruptedException {
    Stream stream = open(relayed);
    List<Multiaddr> theirs;
    long halfRoundTripNanos;
    try {
      BlockingStream io = stream.blocking().timeout(MESSAGE_TIMEOUT);
      long sent = System.nanoTime();
      io.writeMessage(HolePunchMessages.connect(own()));
      HolePunch answer =
          HolePunchMessages.read(
              io.requireMessage(HolePunchMessages.BYTES_MAX), HolePunch.Type.CONNECT);
      halfRoundTripNanos = (System.nanoTime() - sent) / 2;
      theirs = usable(HolePunchMessages.addresses(answer));
      io.writeMessage(HolePunchMessages.sync());
    } catch (Libp2pException e) {
      stream.reset();
      throw e;
    }
    stream.close();
    // The other side dials when the message has arrived, this side at the same moment.
    TimeUnit.NANOSECONDS.sleep(halfRoundTripNanos);
    return dial(relayed.peer(), theirs, this::punchOnce);
  }

  private CompletableFuture<Connection> punchOnce(PeerId peer, Multiaddr address) {
    return host.network().punch(peer, address, Direction.INBOUND);
  }

  private static Stream open(Connection relayed) throws InterruptedException {
    CompletableFuture<Stream> opening = relayed.open(List.of(PROTOCOL));
    try {
      return opening.get(MESSAGE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      opening.cancel(true);
      throw new Libp2pException(PROTOCOL + ": no stream: " + Failures.message(e), e);
    }
  }

  // ---- the side that has dialled the relayed connection

  private void answer(Stream stream, BlockingStream io) {
    if (!DirectConnections.relayed(stream.connection())) {
      throw new PeerMisbehaviourException(
          PROTOCOL + ": a hole is punched only where a connection is relayed");
    }
    io.timeout(MESSAGE_TIMEOUT);
    HolePunch question =
        HolePunchMessages.read(
            io.requireMessage(HolePunchMessages.BYTES_MAX), HolePunch.Type.CONNECT);
    List<Multiaddr> theirs = usable(HolePunchMessages.addresses(question));
    io.writeMessage(HolePunchMessages.connect(own()));
    HolePunchMessages.read(io.requireMessage(HolePunchMessages.BYTES_MAX), HolePunch.Type.SYNC);
    PeerId peer = stream.peer();
    boolean begun = inBackground(peer, () -> dial(peer, theirs, this::punchAgain));
    if (!begun) {
      throw new Libp2pException(PROTOCOL + ": too many upgrades are under way");
    }
  }

  /// Dials as the client, again when that is refused before the time is over.
  private CompletableFuture<Connection> punchAgain(PeerId peer, Multiaddr address) {
    CompletableFuture<Connection> result = new CompletableFuture<>();
    long end = System.nanoTime() + settings.attemptTime().toNanos();
    punchUntil(peer, address, end, result);
    return result;
  }

  private void punchUntil(
      PeerId peer, Multiaddr address, long end, CompletableFuture<Connection> result) {
    CompletableFuture<Connection> dialling =
        host.network().punch(peer, address, Direction.OUTBOUND);
    result.whenComplete((connection, failure) -> {
      if (failure != null) {
        dialling.cancel(true);
      }
    });
    dialling.whenComplete((connection, failure) -> {
      if (failure == null) {
        result.complete(connection);
      } else if (result.isDone() || System.nanoTime() + AGAIN_MS * 1_000_000 >= end) {
        result.completeExceptionally(Failures.unwrapped(failure));
      } else {
        host.network()
            .eventLoops()
            .group()
            .schedule(
                () -> {
                  if (!result.isDone()) {
                    punchUntil(peer, address, end, result);
                  }
                },
                AGAIN_MS,
                TimeUnit.MILLISECONDS);
      }
    });
  }

  // ---- both sides

  /// Dials all the addresses until there is a direct connection, from wherever it comes.
  private boolean dial(
      PeerId peer,
      List<Multiaddr> addresses,
      BiFunction<PeerId, Multiaddr, CompletableFuture<Connection>> dialler)
      throws InterruptedException {
    CompletableFuture<Connection> first = direct.awaited(peer);
    Map<Multiaddr, CompletableFuture<Connection>> dials = new HashMap<>();
    if (!first.isDone()) {
      for (Multiaddr address : addresses.subList(0, Math.min(addresses.size(), DIALLED_MAX))) {
        CompletableFuture<Connection> dialling = dialler.apply(peer, address);
        dialling.whenComplete((connection, failure) -> {
          if (failure != null) {
            LOG.debug("{} at {}: {}", peer, address, Failures.message(failure));
          }
        });
        dials.put(address, dialling);
      }
    }
    try {
      Connection made = first.get(settings.attemptTime().toMillis(), TimeUnit.MILLISECONDS);
      // The dial that has made it is about to complete: cancelling it would close the connection.
      dials.remove(made.remoteAddress());
      return true;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    } finally {
      first.cancel(false);
      dials.values().forEach(dialling -> dialling.cancel(true));
    }
  }

  /// Where this host may be reached without a relay: as others see it first.
  private List<Multiaddr> own() {
    Set<Multiaddr> all = new LinkedHashSet<>(host.identify().candidateAddresses());
    all.addAll(host.addresses());
    return usable(List.copyOf(all));
  }

  private List<Multiaddr> usable(List<Multiaddr> addresses) {
    return addresses.stream().map(Multiaddr::withoutPeerId).filter(this::usable).toList();
  }

  private boolean usable(Multiaddr address) {
    AddressScope scope = AddressScope.of(address);
    return !address.has(AddressProtocol.P2P_CIRCUIT)
        && (address.has(AddressProtocol.IP4) || address.has(AddressProtocol.IP6))
        && (scope == AddressScope.PUBLIC
            || (settings.privateAddresses() && scope != AddressScope.NONE));
  }

  /// Closes a relayed connection that a direct one has replaced, when its streams have ended or the
  /// grace is over.
  private void retire(Connection relayed) {
    if (!retiring.add(relayed)) {
      return;
    }
    Thread.ofVirtual()
        .name("dcutr-retire")
        .start(() -> {
          try {
            drain(relayed);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } finally {
            retiring.remove(relayed);
          }
        });
  }

  private void drain(Connection relayed) throws InterruptedException {
    long end = System.nanoTime() + settings.grace().toNanos();
    int quiet = 0;
    while (relayed.isOpen() && !closed) {
      Thread.sleep(DRAIN_POLL_MS);
      if (direct.to(relayed.peer()).isEmpty()) {
        // The direct connection did not last: this one is needed.
        return;
      }
      // A stream may be about to be opened by somebody who has just taken this connection.
      quiet = relayed.streams().isEmpty() ? quiet + 1 : 0;
      if (quiet >= 2 || System.nanoTime() >= end) {
        relayed.close("a direct connection has replaced it");
        return;
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    host.removeListener(watch);
    host.unhandle(PROTOCOL);
  }
}
