package io.rigmesh.libp2p.kad;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identify.IdentifyInfo;
import io.rigmesh.libp2p.identify.IdentifyListener;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A [KadNode] on a host's sockets. The node runs on one thread; questions and inbound streams run
/// on virtual threads and hand over to it; what callers get runs on virtual threads as well.
final class HostKademlia implements Kademlia, KadNetwork, KadServer.Answers {
  private static final Logger LOG = LoggerFactory.getLogger(HostKademlia.class);
  private static final Executor CALLBACKS =
      task -> Thread.ofVirtual().name("kad-callback").start(task);
  private static final long HOUSEKEEPING_MILLIS = 10_000;
  private static final Duration SAID_LIFE = Duration.ofMinutes(30);

  // One peer's questions: the rate of somebody who announces much, not of a flood.
  private static final double REQUESTS_PER_SECOND = 200;
  private static final double REQUESTS_BURST = 2_000;

  private final Host host;
  private final KademliaConfig config;
  private final ScheduledThreadPoolExecutor thread;
  private final PeerStreams streams;
  private final KadServer server;
  private final RateLimit requests = new RateLimit(REQUESTS_PER_SECOND, REQUESTS_BURST);
  private final Set<Runnable> onClose = ConcurrentHashMap.newKeySet();
  private final IdentifyListener identified = this::identified;
  private final KadNode node;
  private volatile KademliaMode mode;
  private volatile boolean serving;
  private volatile boolean closed;

  private HostKademlia(Host host, KademliaConfig config) {
    this.host = host;
    this.config = config;
    this.mode = config.mode();
    this.thread =
        new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("kad").factory());
    thread.setRemoveOnCancelPolicy(true);
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    this.streams = new PeerStreams(host, config);
    this.server = new KadServer(config.protocol(), config.streamIdle(), this);
    this.node = new KadNode(host.id(), config, this, new SecureRandom());
  }

  static HostKademlia start(Host host, KademliaConfig config) {
    HostKademlia kademlia = new HostKademlia(host, config);
    try {
      kademlia.serveOrNot();
    } catch (RuntimeException e) {
      kademlia.thread.shutdownNow();
      throw e;
    }
    host.identify().addListener(kademlia.identified);
    for (Connection connection : host.connections()) {
      host.identify()
          .identified(connection)
          .thenAccept(info -> kademlia.identified(connection, info));
    }
    kademlia.after(0, kademlia.node::start);
    kademlia.after(HOUSEKEEPING_MILLIS, kademlia::keepHouse);
    return kademlia;
  }

  // Kademlia, for callers.

  @Override
  public CompletableFuture<Void> bootstrap() {
    return request(done -> node.bootstrap(() -> done.accept(Optional.empty())))
        .thenApply(nothing -> null);
  }

  @Override
  public CompletableFuture<Optional<PeerAddress>> findPeer(PeerId peer) {
    return request(done -> node.findPeer(peer, done));
  }

  @Override
  public CompletableFuture<List<PeerAddress>> closestPeers(byte[] key) {
    ByteString bytes = key(key);
    return request(done -> node.closestPeers(bytes, done));
  }

  @Override
  public CompletableFuture<Integer> provide(byte[] multihash) {
    ByteString bytes = key(multihash);
    return request(done -> node.provide(bytes, done::accept));
  }

  @Override
  public void unprovide(byte[] multihash) {
    ByteString bytes = key(multihash);
    after(0, () -> node.unprovide(bytes));
  }

  @Override
  public CompletableFuture<List<PeerAddress>> findProviders(
      byte[] multihash, int max, Consumer<PeerAddress> found) {
    ByteString bytes = key(multihash);
    if (max < 1) {
      throw new IllegalArgumentException("At least one provider must be wanted, not " + max);
    }
    // One thread at a time calls the consumer, in the order of the finds, and the result follows.
    CallbackQueue told = new CallbackQueue(CALLBACKS);
    return request(done ->
        node.findProviders(
            bytes,
            max,
            provider -> told.add(() -> found.accept(provider)),
            result -> told.add(() -> done.accept(result.providers()))));
  }

  @Override
  public CompletableFuture<Integer> putValue(byte[] key, byte[] value) {
    ByteString bytes = key(key);
    ByteString content = ByteString.copyFrom(value);
    if (value.length > KadMessage.VALUE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "A value has at most " + KadMessage.VALUE_BYTES_MAX + " bytes, not " + value.length);
    }
    return request(done -> node.putValue(bytes, content, done::accept));
  }

  @Override
  public CompletableFuture<Optional<byte[]>> getValue(byte[] key) {
    ByteString bytes = key(key);
    return request((Consumer<Optional<ByteString>> done) -> node.getValue(bytes, done))
        .thenApply(value -> value.map(ByteString::toByteArray));
  }

  @Override
  public void mode(KademliaMode wanted) {
    mode = wanted;
    serveOrNot();
  }

  @Override
  public boolean isServer() {
    return serving;
  }

  @Override
  public int tableSize() {
    return tablePeers().size();
  }

  @Override
  public List<PeerId> tablePeers() {
    return closed ? List.of() : onThread(() -> node.table().peers());
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      if (serving) {
        serving = false;
        host.unhandle(config.protocol());
      }
    }
    host.identify().removeListener(identified);
    server.reset();
    streams.close();
    for (Runnable dropped : thread.shutdownNow()) {
      // Whoever waits for it waits no longer.
      ((Future<?>) dropped).cancel(false);
    }
    try {
      if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn("The Kademlia thread did not end within 5 s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    onClose.forEach(Runnable::run);
  }

  // KadNetwork, for the node.

  @Override
  public long now() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }

  @Override
  public void after(long millis, Runnable task) {
    try {
      thread.schedule(
          () -> {
            try {
              task.run();
            } catch (RuntimeException e) {
              LOG.error("A Kademlia task failed", e);
            }
          },
          millis,
          TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      // Closed: nothing runs later.
    }
  }

  @Override
  public void ask(PeerAddress peer, List<KadMessage> messages, Consumer<Outcome> done) {
    Thread.ofVirtual()
        .name("kad-ask")
        .start(() -> {
          Outcome outcome;
          try {
            outcome = streams.ask(peer, messages);
          } catch (RuntimeException e) {
            LOG.error("Asking {} failed", peer.peer(), e);
            outcome = new Outcome.Broken(String.valueOf(e.getMessage()));
          }
          if (!(outcome instanceof Outcome.Answered)) {
            LOG.debug("{} did not answer: {}", peer.peer(), outcome);
          }
          Outcome result = outcome;
          after(0, () -> done.accept(result));
        });
  }

  @Override
  public List<Multiaddr> addresses(PeerId peer) {
    return host.peerStore().addresses(peer);
  }

  @Override
  public List<Multiaddr> addresses(PeerId peer, AddressScope scope) {
    return UsableAddresses.of(new PeerAddress(peer, addresses(peer)), scope).addresses();
  }

  @Override
  public List<Multiaddr> ownAddresses() {
    return host.addresses().stream().limit(KadMessage.ADDRESSES_MAX).toList();
  }

  @Override
  public void remember(PeerAddress peer) {
    host.peerStore().addAddresses(peer.peer(), peer.addresses(), SAID_LIFE);
  }

  // Answers, for the server's streams.

  @Override
  public long waitMillis(PeerId asker) {
    return onThread(() -> requests.take(asker, now()));
  }

  @Override
  public Optional<KadMessage> answer(PeerId asker, Multiaddr remote, KadMessage request) {
    return onThread(() -> node.answer(asker, remote, request));
  }

  private void identified(Connection connection, IdentifyInfo info) {
    if (connection.limited()) {
      return;
    }
    boolean server = info.speaks(config.protocol());
    after(
        0,
        () -> {
          if (server) {
            node.seen(info.peer(), connection.remoteAddress());
          } else {
            node.servesNoMore(info.peer());
          }
        });
  }

  private void keepHouse() {
    after(HOUSEKEEPING_MILLIS, this::keepHouse);
    streams.closeIdle();
    serveOrNot();
  }

  private synchronized void serveOrNot() {
    if (closed) {
      return;
    }
    boolean wanted =
        switch (mode) {
          case CLIENT -> false;
          case SERVER -> true;
          case AUTOMATIC ->
              host.addresses().stream()
                  .anyMatch(address -> AddressScope.of(address) == AddressScope.PUBLIC);
        };
    if (wanted == serving) {
      return;
    }
    if (wanted) {
      host.handle(config.protocol(), StreamHandler.blocking(server));
    } else {
      host.unhandle(config.protocol());
      server.reset();
    }
    serving = wanted;
    LOG.info("{} is {} now", config.protocol(), wanted ? "served" : "not served");
  }

  /// Starts something on the node's thread, whose result completes a future on another.
  private <T> CompletableFuture<T> request(Consumer<Consumer<T>> start) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Runnable fail = () -> result.completeExceptionally(closedException());
    onClose.add(fail);
    result.whenComplete((value, failure) -> onClose.remove(fail));
    after(
        0,
        () -> {
          try {
            start.accept(value -> result.completeAsync(() -> value, CALLBACKS));
          } catch (RuntimeException e) {
            CALLBACKS.execute(() -> result.completeExceptionally(e));
          }
        });
    if (closed) {
      fail.run();
    }
    return result;
  }

  private <T> T onThread(Supplier<T> task) {
    try {
      return thread.submit(task::get).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Libp2pException known) {
        throw known;
      }
      throw new IllegalStateException("A Kademlia task failed", e);
    } catch (RejectedExecutionException | CancellationException e) {
      throw new Libp2pException("This Kademlia node is closed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Libp2pException("interrupted", e);
    }
  }

  private Libp2pException closedException() {
    return new Libp2pException("This Kademlia node is closed");
  }

  private static ByteString key(byte[] key) {
    if (key.length == 0 || key.length > KadMessage.KEY_BYTES_MAX) {
      throw new IllegalArgumentException(
          "A key has 1 to " + KadMessage.KEY_BYTES_MAX + " bytes, not " + key.length);
    }
    return ByteString.copyFrom(key);
  }
}
