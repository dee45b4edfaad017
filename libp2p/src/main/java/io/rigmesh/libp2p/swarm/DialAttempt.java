package io.rigmesh.libp2p.swarm;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.resource.ResourceManager;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.Transport;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Dials the addresses of one peer until one succeeds: the best first, the next when it fails or
/// has not succeeded within a quarter of a second (RFC 8305's idea). Winner takes all: every other
/// dial is cancelled, and one that succeeds all the same is closed.
final class DialAttempt {
  static final int ADDRESSES_MAX = 32;
  private static final int PARALLEL_MAX = 8;
  private static final long STAGGER_MS = 250;

  /// What an attempt yields, to be registered by the swarm.
  record Dialled(SecuredConnection connection, ConnectionScope scope, InboundStreams streams) {}

  private final PeerId peer;
  private final List<Transport> transports;
  private final ResourceManager resources;
  private final ScheduledExecutorService timer;
  private final CompletableFuture<Dialled> result = new CompletableFuture<>();

  private final Deque<Multiaddr> waiting;
  private final Map<Multiaddr, String> failures = new LinkedHashMap<>();
  private final Map<Multiaddr, CompletableFuture<SecuredConnection>> running = new HashMap<>();
  private int inFlight;
  private @Nullable ScheduledFuture<?> next;

  DialAttempt(
      PeerId peer,
      List<Multiaddr> addresses,
      List<Transport> transports,
      ResourceManager resources,
      ScheduledExecutorService timer) {
    this.peer = peer;
    this.waiting =
        new ArrayDeque<>(addresses.subList(0, Math.min(addresses.size(), ADDRESSES_MAX)));
    this.transports = transports;
    this.resources = resources;
    this.timer = timer;
  }

  CompletableFuture<Dialled> result() {
    return result;
  }

  void start() {
    result.whenComplete((dialled, failure) -> stop());
    dialNext();
  }

  private synchronized void stop() {
    waiting.clear();
    if (next != null) {
      next.cancel(false);
    }
    List.copyOf(running.values()).forEach(dial -> dial.cancel(true));
  }

  private void dialNext() {
    Multiaddr address;
    synchronized (this) {
      if (result.isDone()) {
        return;
      }
      address = inFlight < PARALLEL_MAX ? waiting.poll() : null;
      if (address == null) {
        if (inFlight == 0) {
          result.completeExceptionally(exhausted());
        }
        return;
      }
      inFlight++;
      if (next != null) {
        next.cancel(false);
      }
      next = timer.schedule(this::dialNext, STAGGER_MS, TimeUnit.MILLISECONDS);
    }
    dial(address);
  }

  private void dial(Multiaddr address) {
    Transport transport =
        transports.stream().filter(one -> one.dials(address)).findFirst().orElse(null);
    if (transport == null) {
      fail(address, "no transport here dials it");
      return;
    }
    ConnectionScope scope;
    try {
      scope = resources.openConnection(Direction.OUTBOUND, address);
    } catch (ResourceLimitException e) {
      fail(address, e.getMessage());
      return;
    }
    InboundStreams streams = new InboundStreams();
    CompletableFuture<SecuredConnection> dial = transport.dial(address, peer, scope, streams);
    synchronized (this) {
      running.put(address, dial);
    }
    dial.whenComplete((connection, failure) -> {
      synchronized (this) {
        running.remove(address);
      }
      if (failure != null) {
        scope.close();
        fail(address, Failures.message(failure));
      } else if (!result.complete(new Dialled(connection, scope, streams))) {
        connection.session().close();
        connection.session().closed().whenComplete((reason, lost) -> scope.close());
      }
    });
    if (result.isDone()) {
      dial.cancel(true);
    }
  }

  private void fail(Multiaddr address, @Nullable String why) {
    synchronized (this) {
      inFlight--;
      failures.put(address, String.valueOf(why));
    }
    dialNext();
  }

  private Libp2pException exhausted() {
    if (failures.isEmpty()) {
      return new Libp2pException(
          "No address of " + peer + " is known; give one that ends in /p2p/" + peer);
    }
    StringBuilder text = new StringBuilder("Cannot reach ").append(peer).append(':');
    failures.forEach(
        (address, why) -> text.append(' ').append(address).append(" (").append(why).append(");"));
    text.setLength(text.length() - 1);
    return new Libp2pException(text.toString());
  }
}
