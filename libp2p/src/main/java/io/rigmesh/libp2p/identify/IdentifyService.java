package io.rigmesh.libp2p.identify;

import com.google.protobuf.ByteString;
import io.netty.util.concurrent.ScheduledFuture;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.StreamTimeoutException;
import io.rigmesh.libp2p.identify.wire.IdentifyWire;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Identify and identify/push on a host: asks every new connection, answers, pushes what changes,
/// writes what it learns into the peer store, and announces the addresses at which enough peers see
/// this host.
public final class IdentifyService implements Identify, ConnectionListener {
  public static final ProtocolId ID = new ProtocolId("/ipfs/id/1.0.0");
  public static final ProtocolId PUSH = new ProtocolId("/ipfs/id/push/1.0.0");

  /// How long addresses that a peer names are kept; a peer that was connected is remembered longer
  /// by the peer store.
  private static final Duration ADDRESSES_KEPT = Duration.ofHours(1);

  /// Several changes that come together are pushed together.
  private static final Duration SETTLE = Duration.ofMillis(100);

  /// How often a peer is asked that does not answer in time.
  private static final int ASKED_MAX = 3;

  private static final Logger LOG = LoggerFactory.getLogger(IdentifyService.class);

  private final Host host;
  private final IdentifySettings settings;
  private final OwnRecords records;
  private final ObservedAddresses observed;
  private final Map<Connection, Identified> known = new ConcurrentHashMap<>();
  private final List<IdentifyListener> listeners = new CopyOnWriteArrayList<>();
  private final Semaphore looks = new Semaphore(0);
  private final Thread looker;
  private volatile boolean closed;

  private IdentifyService(Host host, IdentifySettings settings) {
    this.host = host;
    this.settings = settings;
    this.records = new OwnRecords(host.key(), settings.clock());
    this.observed = new ObservedAddresses(settings.observersMin(), settings.observePrivate());
    this.looker = Thread.ofVirtual().name("identify").unstarted(this::look);
  }

  /// Serves both protocols on a host and identifies every connection from now on, and those that
  /// are open.
  public static Identify start(Host host, IdentifySettings settings) {
    IdentifyService service = new IdentifyService(host, settings);
    host.handle(ID, StreamHandler.blocking(service::answer));
    host.handle(PUSH, StreamHandler.blocking(service::takePush));
    host.announce(() -> service.observed.announced(settings.clock().instant()));
    host.addListener(service);
    host.connections().forEach(service::connected);
    service.looker.start();
    return service;
  }

  @Override
  public CompletableFuture<IdentifyInfo> identified(Connection connection) {
    Identified state = known.get(connection);
    if (state == null && connection.isOpen() && !closed) {
      // Whoever asks may be quicker than this listener.
      connected(connection);
      state = known.get(connection);
    }
    if (state == null) {
      return CompletableFuture.failedFuture(
          new Libp2pException("The connection to " + connection.peer() + " is closed"));
    }
    Identified found = state;
    // A later push may have told more.
    return found.first.thenApply(first -> found.info);
  }

  @Override
  public void addListener(IdentifyListener listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(IdentifyListener listener) {
    listeners.remove(listener);
  }

  @Override
  public List<Multiaddr> candidateAddresses() {
    return observed.candidates(settings.clock().instant());
  }

  @Override
  public void connected(Connection connection) {
    Identified state = new Identified(IdentifyReader.nothingKnown(connection.peer()));
    if (closed || known.putIfAbsent(connection, state) != null) {
      return;
    }
    Thread.ofVirtual().name("identify").start(() -> ask(connection, state));
    // Also when it closed before it was listed here.
    connection.closed().thenAccept(reason -> forget(connection, reason));
  }

  private void forget(Connection connection, String reason) {
    Identified state = known.remove(connection);
    if (state != null) {
      observed.ended(connection, settings.clock().instant());
      state.first.completeExceptionally(
          new Libp2pException(
              "The connection to "
                  + connection.peer()
                  + " closed before it was identified: "
                  + reason));
    }
  }

  private void ask(Connection connection, Identified state) {
    try {
      state.tellFirst(toTell(connection));
      take(connection, state, identification(connection));
    } catch (Libp2pException e) {
      LOG.debug("{} is not identified: {}", connection.peer(), e.getMessage());
      state.first.completeExceptionally(e);
    } catch (RuntimeException e) {
      LOG.warn("{} could not be identified", connection.peer(), e);
      state.first.completeExceptionally(e);
    }
  }

  /// Asks again when nothing comes in time, as from a machine that is busy: nobody else would ask
  /// on this connection again.
  private IdentifyWire.Identify identification(Connection connection) {
    for (int asked = 1; ; asked++) {
      try {
        return onStream(
            connection, ID, (stream, io) -> IdentifyReader.read(io, ID.name(), settings.timeout()));
      } catch (StreamTimeoutException e) {
        if (asked == ASKED_MAX || closed || !connection.isOpen()) {
          throw e;
        }
      }
    }
  }

  /// What is done with one stream.
  @FunctionalInterface
  private interface Talk<T> {
    T with(Stream stream, BlockingStream io);
  }

  /// Opens a stream and talks on it; everything together ends in time.
  private <T> T onStream(Connection connection, ProtocolId protocol, Talk<T> talk) {
    CompletableFuture<Stream> opening = connection.open(List.of(protocol));
    Stream stream;
    try {
      stream = opening.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      opening.cancel(true);
      throw new StreamTimeoutException(
          protocol
              + ": no stream to "
              + connection.peer()
              + " within "
              + settings.timeout().toMillis()
              + " ms");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Libp2pException refused
          ? refused
          : new Libp2pException(
              protocol + ": no stream to " + connection.peer() + ": " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      opening.cancel(true);
      throw new Libp2pException(protocol + ": interrupted", e);
    }
    // A peer that sends a byte now and then would pass every single wait.
    ScheduledFuture<?> limit = resetLater(stream);
    try {
      T result = talk.with(stream, stream.blocking().timeout(settings.timeout()));
      stream.close();
      return result;
    } catch (RuntimeException e) {
      stream.reset();
      throw e;
    } finally {
      limit.cancel(false);
    }
  }

  private ScheduledFuture<?> resetLater(Stream stream) {
    return stream
        .channel()
        .eventLoop()
        .schedule(stream::reset, settings.timeout().toMillis() + 500, TimeUnit.MILLISECONDS);
  }

  private void take(Connection connection, Identified state, IdentifyWire.Identify message) {
    state.taking.lock();
    try {
      AddressScope remote = AddressScope.of(connection.remoteAddress());
      IdentifyInfo info = IdentifyReader.info(message, connection.peer(), remote, state.info);
      remember(info, remote, message.hasSignedPeerRecord());
      info.observedAddress()
          .filter(seen -> !connection.limited())
          .ifPresent(seen ->
              observed.seen(
                  connection,
                  new ObservedAddresses.Sighting(
                      connection.peer(),
                      connection.localAddress(),
                      connection.remoteAddress(),
                      seen),
                  host.listenAddresses()));
      state.info = info;
      for (IdentifyListener listener : listeners) {
        try {
          listener.identified(connection, info);
        } catch (RuntimeException e) {
          LOG.warn("An identify listener failed", e);
        }
      }
      state.first.complete(info);
      if (!known.containsKey(connection)) {
        observed.ended(connection, settings.clock().instant());
      }
    } finally {
      state.taking.unlock();
    }
  }

  private void remember(IdentifyInfo info, AddressScope remote, boolean recordIsNew) {
    PeerId peer = info.peer();
    if (recordIsNew) {
      info.signedRecord()
          .ifPresent(record ->
              host.peerStore()
                  .addSignedRecord(
                      record,
                      address -> AddressScope.of(address).usableFrom(remote),
                      ADDRESSES_KEPT));
    } else {
      host.peerStore().addAddresses(peer, info.addresses(), ADDRESSES_KEPT);
    }
    host.peerStore().setProtocols(peer, info.protocols());
    host.peerStore().setAgent(peer, info.agentVersion());
  }

  private void answer(Stream stream, BlockingStream io) {
    Connection connection = stream.connection();
    Identified.Told telling = toTell(connection);
    send(stream, io, telling);
    Identified state = known.get(connection);
    if (state != null) {
      state.tell(telling);
    }
  }

  private void send(Stream stream, BlockingStream io, Identified.Told telling) {
    IdentifyWire.Identify.Builder head =
        IdentifyWire.Identify.newBuilder()
            .setProtocolVersion(settings.protocolVersion())
            .setAgentVersion(settings.agentVersion())
            .setPublicKey(ByteString.copyFrom(host.key().publicKey().bytes()))
            .setObservedAddr(ByteString.copyFrom(stream.connection().remoteAddress().bytes()));
    ScheduledFuture<?> limit = resetLater(stream);
    try {
      io.timeout(settings.timeout());
      for (IdentifyWire.Identify chunk :
          IdentifyChunks.of(
              head, telling.addresses(), records.of(telling.addresses()), telling.protocols())) {
        io.writeMessage(chunk);
      }
    } finally {
      limit.cancel(false);
    }
  }

  private void takePush(Stream stream, BlockingStream io) {
    Identified state = known.get(stream.connection());
    if (state == null) {
      return;
    }
    if (!state.mayPush(settings.clock().instant())) {
      throw new PeerMisbehaviourException(PUSH + ": " + stream.peer() + " pushes too often");
    }
    ScheduledFuture<?> limit = resetLater(stream);
    try {
      IdentifyWire.Identify message = IdentifyReader.read(io, PUSH.name(), settings.timeout());
      take(stream.connection(), state, message);
    } finally {
      limit.cancel(false);
    }
  }

  /// What a peer is told: addresses that it can use, public ones first, and every protocol.
  private Identified.Told toTell(Connection connection) {
    AddressScope remote = AddressScope.of(connection.remoteAddress());
    List<Multiaddr> addresses =
        IdentifyChunks.fitting(
            host.addresses().stream()
                .map(Multiaddr::withoutPeerId)
                .filter(address -> AddressScope.of(address).usableFrom(remote))
                .distinct()
                .sorted(
                    Comparator.<Multiaddr, AddressScope>comparing(AddressScope::of)
                        .reversed()
                        .thenComparing(Multiaddr::toString))
                .toList());
    List<ProtocolId> protocols =
        host.protocols().stream().sorted(Comparator.comparing(ProtocolId::name)).toList();
    return new Identified.Told(addresses, protocols);
  }

  @Override
  public void pushChanges() {
    looks.release();
  }

  /// Looks for changes on request and on a timer until closed.
  private void look() {
    while (!closed) {
      try {
        if (looks.tryAcquire(settings.lookEvery().toMillis(), TimeUnit.MILLISECONDS)) {
          Thread.sleep(SETTLE);
          looks.drainPermits();
        }
        if (!closed) {
          pushWhatChanged();
        }
      } catch (InterruptedException closing) {
        return;
      } catch (RuntimeException e) {
        LOG.warn("Changes of this host's addresses and protocols could not be pushed", e);
      }
    }
  }

  private void pushWhatChanged() {
    Set<PeerId> pushed = new HashSet<>();
    List<Map.Entry<Connection, Identified>> open = new ArrayList<>(known.entrySet());
    for (Map.Entry<Connection, Identified> entry : open) {
      Connection connection = entry.getKey();
      Identified state = entry.getValue();
      if (!state.info.speaks(PUSH) || connection.limited()) {
        continue;
      }
      Identified.Told telling = toTell(connection);
      if (!state.tell(telling)) {
        continue;
      }
      if (pushed.add(connection.peer())) {
        Thread.ofVirtual().name("identify-push").start(() -> push(connection, telling));
      }
    }
  }

  private void push(Connection connection, Identified.Told telling) {
    try {
      onStream(
          connection,
          PUSH,
          (stream, io) -> {
            send(stream, io, telling);
            return telling;
          });
    } catch (Libp2pException e) {
      LOG.debug("{} did not take a push: {}", connection.peer(), e.getMessage());
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    looker.interrupt();
    host.removeListener(this);
    host.unhandle(ID);
    host.unhandle(PUSH);
    known.forEach((connection, state) ->
        state.first.completeExceptionally(new Libp2pException("Identify is closed")));
    known.clear();
  }
}
