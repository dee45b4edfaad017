package io.rigmesh.node.network;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the node connected to the peers that its settings name: dials each, and again whenever it
/// is lost, with pauses that grow; and once, at the start, dials peers that were known before.
final class Bootstrap implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Bootstrap.class);
  private static final Duration PAUSE_MIN = Duration.ofMillis(500);
  private static final Duration PAUSE_MAX = Duration.ofSeconds(60);
  private static final Duration DIAL_MAX = Duration.ofSeconds(30);

  /// How many peers of earlier days are dialled at the start.
  private static final int KNOWN_MAX = 8;

  private static final String TAG = "bootstrap";

  private final Host host;
  private final List<PeerAddress> peers;
  private final List<Thread> threads = new java.util.ArrayList<>();
  private final Map<PeerId, Semaphore> lost = new ConcurrentHashMap<>();
  private final Map<PeerId, String> failures = new ConcurrentHashMap<>();
  private final ConnectionListener listener =
      new ConnectionListener() {
        @Override
        public void disconnected(Connection connection, String reason) {
          Semaphore wake = lost.get(connection.peer());
          if (wake != null) {
            wake.release();
          }
        }
      };

  Bootstrap(Host host, List<PeerAddress> peers) {
    this.host = host;
    this.peers = peers.stream().filter(p -> !p.peer().equals(host.id())).toList();
  }

  void start() {
    host.addListener(listener);
    for (PeerAddress peer : peers) {
      host.connectionManager().protect(peer.peer(), TAG);
      lost.put(peer.peer(), new Semaphore(0));
      threads.add(Thread.ofVirtual().name("bootstrap").start(() -> keep(peer)));
    }
    List<PeerId> known =
        host.peerStore().peers().stream()
            .filter(p -> !p.equals(host.id()) && !lost.containsKey(p))
            .limit(KNOWN_MAX)
            .toList();
    threads.add(
        Thread.ofVirtual()
            .name("bootstrap")
            .start(() -> known.forEach(peer -> dial(host.peerStore().peerAddress(peer)))));
  }

  private void keep(PeerAddress peer) {
    Semaphore wake = lost.get(peer.peer());
    Duration pause = PAUSE_MIN;
    try {
      while (wake != null && !Thread.currentThread().isInterrupted()) {
        wake.drainPermits();
        if (!host.connections(peer.peer()).isEmpty()) {
          // Looked at now and then all the same, should a loss not have been told.
          var _ = wake.tryAcquire(PAUSE_MAX.toMillis(), TimeUnit.MILLISECONDS);
          pause = PAUSE_MIN;
          continue;
        }
        Optional<String> failure = dial(peer);
        if (failure.isEmpty()) {
          failures.remove(peer.peer());
          continue;
        }
        String before = failures.put(peer.peer(), failure.get());
        if (before == null) {
          LOG.warn("the bootstrap peer {} is not reached: {}", peer.peer(), failure.get());
        }
        // Not all at the same moment, when many nodes have lost the same peer.
        long jitter = ThreadLocalRandom.current().nextLong(1 + pause.toMillis() / 4);
        Thread.sleep(pause.toMillis() + jitter);
        pause = pause.multipliedBy(2).compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : PAUSE_MAX;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Dials a peer.
  ///
  /// @return why it was not reached
  private Optional<String> dial(PeerAddress peer) {
    CompletableFuture<Connection> dial = host.connect(peer);
    try {
      dial.get(DIAL_MAX.toSeconds(), TimeUnit.SECONDS);
      LOG.info("connected to {}", peer.peer());
      return Optional.empty();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      return Optional.of(
          cause instanceof Libp2pException ? String.valueOf(cause.getMessage()) : e.toString());
    } catch (TimeoutException e) {
      dial.cancel(true);
      return Optional.of("no answer within " + DIAL_MAX.toSeconds() + " s (" + e + ")");
    } catch (InterruptedException e) {
      dial.cancel(true);
      Thread.currentThread().interrupt();
      return Optional.of("interrupted");
    }
  }

  /// Why bootstrap peers are not reached, one sentence each.
  List<String> failures() {
    return failures.entrySet().stream()
        .filter(e -> host.connections(e.getKey()).isEmpty())
        .map(e -> "the bootstrap peer " + e.getKey() + " is not reached: " + e.getValue())
        .sorted()
        .toList();
  }

  @Override
  public void close() {
    host.removeListener(listener);
    threads.forEach(Thread::interrupt);
  }
}
