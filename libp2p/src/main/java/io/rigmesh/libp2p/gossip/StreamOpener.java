package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens the stream to each connected peer, with longer and longer pauses after failures.
/// Thread-safe.
final class StreamOpener {
  private static final Logger LOG = LoggerFactory.getLogger(StreamOpener.class);
  private static final Duration PAUSE_FIRST = Duration.ofSeconds(1);
  private static final Duration PAUSE_MAX = Duration.ofMinutes(2);

  private final Host host;
  private final Consumer<Stream> opened;
  private final Map<PeerId, Attempt> attempts = new ConcurrentHashMap<>();

  /// A stream that lived so long was no failure.
  private static final Duration LIFE_MIN = Duration.ofMinutes(1);

  /// @param nextNanos when to try again; for a stream that opened, when it did
  private record Attempt(boolean running, int failures, long nextNanos) {}

  /// @param opened takes each stream, on a virtual thread
  StreamOpener(Host host, Consumer<Stream> opened) {
    this.host = host;
    this.opened = opened;
  }

  /// The connection that a stream to a peer is opened on: never a relayed one, which is short and
  /// slow.
  static Optional<Connection> direct(Host host, PeerId peer) {
    return host.connections(peer).stream()
        .filter(connection -> connection.isOpen() && !connection.limited())
        .findFirst();
  }

  /// Opens the stream unless an attempt runs, a pause lasts, or identify has said that the peer
  /// does not speak the protocol.
  void open(PeerId peer) {
    Optional<Connection> connection = direct(host, peer);
    if (connection.isEmpty()) {
      return;
    }
    Set<ProtocolId> known = host.peerStore().protocols(peer);
    if (!known.isEmpty() && Collections.disjoint(known, PeerFeatures.PROTOCOLS)) {
      return;
    }
    long now = System.nanoTime();
    boolean[] mine = new boolean[1];
    attempts.compute(
        peer,
        (id, attempt) -> {
          if (attempt != null && (attempt.running() || attempt.nextNanos() - now > 0)) {
            return attempt;
          }
          mine[0] = true;
          return new Attempt(true, attempt == null ? 0 : attempt.failures(), now);
        });
    if (!mine[0]) {
      return;
    }
    connection
        .get()
        .open(PeerFeatures.PROTOCOLS)
        .whenCompleteAsync(
            (stream, failure) -> {
              if (failure == null) {
                attempts.computeIfPresent(
                    peer,
                    (id, attempt) -> new Attempt(false, attempt.failures(), System.nanoTime()));
                opened.accept(stream);
              } else {
                LOG.debug("No gossip stream to {}: {}", peer, failure.getMessage());
                lost(peer);
              }
            },
            task -> Thread.ofVirtual().name("gossip-open").start(task));
  }

  /// The stream has failed to open, or has gone while the connection stands.
  void lost(PeerId peer) {
    attempts.compute(
        peer,
        (id, attempt) -> {
          long now = System.nanoTime();
          int failures =
              attempt == null || now - attempt.nextNanos() > LIFE_MIN.toNanos()
                  ? 0
                  : attempt.failures();
          long pause =
              Math.min(PAUSE_MAX.toNanos(), PAUSE_FIRST.toNanos() << Math.min(failures, 7));
          return new Attempt(false, failures + 1, now + pause);
        });
  }

  /// The peer is no longer connected.
  void forget(PeerId peer) {
    attempts.remove(peer);
  }
}
