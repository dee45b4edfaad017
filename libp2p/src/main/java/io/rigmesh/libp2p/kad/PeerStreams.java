package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Asks peers over streams, which are used again for the next question and closed when idle (the
/// specification's "RPC messages"). A bounded number of questions, and so of dials, is under way at
/// a time. Thread-safe; asking blocks.
final class PeerStreams {
  private static final int ASKING_MAX = 64;
  private static final int IDLE_PER_PEER_MAX = 2;

  /// For how long what is said of a peer's addresses is remembered, and what proved true.
  private static final Duration SAID_LIFE = Duration.ofMinutes(10);

  private static final Duration PROVEN_LIFE = Duration.ofHours(1);

  private record Open(Stream stream, BlockingStream io, long idleSince) {}

  private final Host host;
  private final KademliaConfig config;
  private final Semaphore places = new Semaphore(ASKING_MAX, true);
  private final Map<PeerId, Deque<Open>> idle = new HashMap<>();
  private final Set<Runnable> onClose = ConcurrentHashMap.newKeySet();
  private final Set<Stream> busy = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  PeerStreams(Host host, KademliaConfig config) {
    this.host = host;
    this.config = config;
  }

  /// Sends messages, of which the last is answered, and waits for that.
  KadNetwork.Outcome ask(PeerAddress peer, List<KadMessage> messages) {
    long end;
    try {
      if (!places.tryAcquire(config.lookupTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
        return new KadNetwork.Outcome.NotAsked(ASKING_MAX + " questions are under way already");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new KadNetwork.Outcome.NotAsked("interrupted");
    }
    try {
      end = System.nanoTime() + config.queryTimeout().toNanos();
      Open used = takeIdle(peer.peer());
      if (used != null) {
        try {
          return exchange(used, messages, end);
        } catch (StreamResetException | PeerMisbehaviourException e) {
          // The remote may close an idle stream at any time: only a new one shows what it is worth.
        }
      }
      return askAnew(peer, messages, end);
    } catch (ResourceLimitException e) {
      return new KadNetwork.Outcome.NotAsked(message(e));
    } catch (Libp2pException e) {
      return closed
          ? new KadNetwork.Outcome.NotAsked("closed")
          : new KadNetwork.Outcome.Broken(message(e));
    } finally {
      places.release();
    }
  }

  private KadNetwork.Outcome askAnew(PeerAddress peer, List<KadMessage> messages, long end) {
    Connection connection;
    try {
      host.peerStore().addAddresses(peer.peer(), peer.addresses(), SAID_LIFE);
      connection = await(host.connect(peer), end);
    } catch (ResourceLimitException e) {
      throw e;
    } catch (Libp2pException e) {
      return closed
          ? new KadNetwork.Outcome.NotAsked("closed")
          : new KadNetwork.Outcome.Unreachable(message(e));
    }
    if (connection.limited()) {
      return new KadNetwork.Outcome.Unreachable("only through a relay, which has its limits");
    }
    Stream stream = await(connection.open(List.of(config.protocol())), end);
    KadNetwork.Outcome outcome = exchange(new Open(stream, stream.blocking(), 0), messages, end);
    if (connection.direction() == Direction.OUTBOUND) {
      host.peerStore().addAddresses(peer.peer(), List.of(connection.remoteAddress()), PROVEN_LIFE);
    }
    return outcome;
  }

  private KadNetwork.Outcome exchange(Open open, List<KadMessage> messages, long end) {
    Stream stream = open.stream;
    busy.add(stream);
    boolean done = false;
    try {
      if (closed) {
        throw new Libp2pException("This Kademlia node is closed");
      }
      BlockingStream io = open.io;
      for (KadMessage message : messages) {
        io.timeout(left(end));
        io.writeMessage(message.encode());
      }
      io.timeout(left(end));
      KadMessage answer =
          KadMessage.decode(
              config.protocol().name(), io.requireMessage(KadMessage.RESPONSE_BYTES_MAX));
      if (answer.type() != messages.getLast().type()) {
        throw new PeerMisbehaviourException(
            config.protocol()
                + ": a "
                + messages.getLast().type()
                + " was answered with a "
                + answer.type());
      }
      Multiaddr from = stream.connection().remoteAddress();
      done = true;
      return new KadNetwork.Outcome.Answered(answer, from);
    } finally {
      busy.remove(stream);
      if (done) {
        putIdle(open);
      } else {
        stream.reset();
      }
    }
  }

  /// Closes the streams that have been idle for long.
  void closeIdle() {
    long before = System.nanoTime() - config.streamIdle().toNanos();
    List<Stream> old = new ArrayList<>();
    synchronized (idle) {
      Iterator<Deque<Open>> peers = idle.values().iterator();
      while (peers.hasNext()) {
        Deque<Open> streams = peers.next();
        streams.removeIf(open -> {
          boolean gone = open.idleSince - before < 0 || !open.stream.channel().isActive();
          if (gone) {
            old.add(open.stream);
          }
          return gone;
        });
        if (streams.isEmpty()) {
          peers.remove();
        }
      }
    }
    old.forEach(Stream::close);
  }

  /// Ends every question, with no answer.
  void close() {
    closed = true;
    onClose.forEach(Runnable::run);
    busy.forEach(Stream::reset);
    synchronized (idle) {
      idle.values().forEach(streams -> streams.forEach(open -> open.stream.reset()));
      idle.clear();
    }
  }

  private @Nullable Open takeIdle(PeerId peer) {
    synchronized (idle) {
      Deque<Open> streams = idle.get(peer);
      while (streams != null && !streams.isEmpty()) {
        Open open = streams.removeLast();
        if (streams.isEmpty()) {
          idle.remove(peer);
        }
        if (open.stream.channel().isActive()) {
          return open;
        }
      }
      return null;
    }
  }

  private void putIdle(Open open) {
    synchronized (idle) {
      if (!closed) {
        Deque<Open> streams = idle.computeIfAbsent(open.stream.peer(), peer -> new ArrayDeque<>(2));
        if (streams.size() < IDLE_PER_PEER_MAX) {
          streams.addLast(new Open(open.stream, open.io, System.nanoTime()));
          return;
        }
      }
    }
    open.stream.close();
  }

  private <T> T await(CompletableFuture<T> future, long end) {
    Runnable cancel = () -> future.cancel(true);
    onClose.add(cancel);
    try {
      if (closed) {
        cancel.run();
      }
      return future.get(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Libp2pException known) {
        throw known;
      }
      throw new Libp2pException(message(e.getCause()), e);
    } catch (TimeoutException e) {
      abandon(future);
      throw new Libp2pException(
          "it took longer than " + config.queryTimeout().toMillis() + " ms", e);
    } catch (CancellationException e) {
      throw new Libp2pException("This Kademlia node is closed", e);
    } catch (InterruptedException e) {
      abandon(future);
      Thread.currentThread().interrupt();
      throw new Libp2pException("interrupted", e);
    } finally {
      onClose.remove(cancel);
    }
  }

  /// What comes too late is not left open.
  private static void abandon(CompletableFuture<?> future) {
    future.whenComplete((late, failure) -> {
      if (late instanceof Stream stream) {
        stream.reset();
      }
    });
    future.cancel(true);
  }

  private static Duration left(long end) {
    return Duration.ofNanos(Math.max(1, end - System.nanoTime()));
  }

  private static String message(@Nullable Throwable failure) {
    return failure == null || failure.getMessage() == null
        ? String.valueOf(failure)
        : failure.getMessage();
  }
}
