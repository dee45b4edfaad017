package io.rigmesh.libp2p.ping;

import io.netty.util.concurrent.ScheduledFuture;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.identity.PeerId;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Ping on a host: echoes what peers send, and pings them.
public final class PingService implements Ping {
  public static final ProtocolId PROTOCOL = new ProtocolId("/ipfs/ping/1.0.0");

  /// Bytes of one ping.
  static final int PAYLOAD_BYTES = 32;

  /// How long a ping may take, and how long a stream of pings may rest.
  static final Duration TIMEOUT = Duration.ofSeconds(10);

  /// The specification's: more streams of one peer only disturb each other.
  static final int INBOUND_PER_PEER_MAX = 2;

  private final Host host;
  private final SecureRandom random = new SecureRandom();
  private final Map<PeerId, Integer> inbound = new ConcurrentHashMap<>();
  private final Map<PeerId, CompletableFuture<Duration>> running = new ConcurrentHashMap<>();
  private volatile boolean closed;

  private PingService(Host host) {
    this.host = host;
  }

  /// Serves ping on a host.
  public static Ping start(Host host) {
    PingService service = new PingService(host);
    host.handle(PROTOCOL, service::accept);
    return service;
  }

  private void accept(Stream stream) {
    PeerId peer = stream.peer();
    if (inbound.merge(peer, 1, Integer::sum) > INBOUND_PER_PEER_MAX) {
      ended(peer);
      stream.reset();
      return;
    }
    stream.channel().closeFuture().addListener(gone -> ended(peer));
    PingEcho.serve(stream);
  }

  private void ended(PeerId peer) {
    inbound.computeIfPresent(peer, (id, count) -> count == 1 ? null : count - 1);
  }

  @Override
  public CompletableFuture<Duration> ping(PeerId peer) {
    if (closed) {
      return CompletableFuture.failedFuture(new Libp2pException("Ping is closed"));
    }
    CompletableFuture<Duration> mine = new CompletableFuture<>();
    CompletableFuture<Duration> other = running.putIfAbsent(peer, mine);
    if (other != null) {
      return other.copy();
    }
    Thread.ofVirtual()
        .name("ping")
        .start(() -> {
          try {
            Duration trip = roundTrip(peer);
            running.remove(peer, mine);
            mine.complete(trip);
          } catch (RuntimeException e) {
            running.remove(peer, mine);
            mine.completeExceptionally(e);
          }
        });
    return mine.copy();
  }

  private Duration roundTrip(PeerId peer) {
    CompletableFuture<Stream> opening = host.openLimited(peer, PROTOCOL);
    Stream stream;
    try {
      stream = opening.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      opening.cancel(true);
      throw new StreamTimeoutException(
          PROTOCOL + ": no stream to " + peer + " within " + TIMEOUT.toSeconds() + " s");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Libp2pException known
          ? known
          : new Libp2pException(PROTOCOL + ": no stream to " + peer + ": " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      opening.cancel(true);
      throw new Libp2pException(PROTOCOL + ": interrupted", e);
    }
    ScheduledFuture<?> limit =
        stream
            .channel()
            .eventLoop()
            .schedule(stream::reset, TIMEOUT.toMillis() + 500, TimeUnit.MILLISECONDS);
    try {
      BlockingStream io = stream.blocking().timeout(TIMEOUT);
      byte[] payload = new byte[PAYLOAD_BYTES];
      random.nextBytes(payload);
      long start = System.nanoTime();
      io.write(payload.clone());
      byte[] echo = io.readFully(PAYLOAD_BYTES);
      long nanos = System.nanoTime() - start;
      if (!Arrays.equals(echo, payload)) {
        throw new PeerMisbehaviourException(
            PROTOCOL + ": " + peer + " sent back other bytes than it was sent");
      }
      stream.close();
      return Duration.ofNanos(nanos);
    } catch (RuntimeException e) {
      stream.reset();
      throw e;
    } finally {
      limit.cancel(false);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      host.unhandle(PROTOCOL);
    }
  }
}
