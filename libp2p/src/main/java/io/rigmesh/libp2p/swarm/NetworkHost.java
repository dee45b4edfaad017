package io.rigmesh.libp2p.swarm;

import io.rigmesh.libp2p.AddressSource;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.ConnectionManager;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Security;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identify.Identify;
import io.rigmesh.libp2p.identify.IdentifyService;
import io.rigmesh.libp2p.identify.IdentifySettings;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.peerstore.BoundedPeerStore;
import io.rigmesh.libp2p.peerstore.PeerStore;
import io.rigmesh.libp2p.peerstore.PeerStoreLimits;
import io.rigmesh.libp2p.ping.Ping;
import io.rigmesh.libp2p.ping.PingService;
import io.rigmesh.libp2p.resource.ResourceLimits;
import io.rigmesh.libp2p.resource.ResourceManager;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.Network;
import io.rigmesh.libp2p.transport.StreamMuxer;
import io.rigmesh.libp2p.transport.TcpTransport;
import io.rigmesh.libp2p.transport.Upgrader;
import io.rigmesh.libp2p.transport.quic.QuicTransport;
import io.rigmesh.libp2p.yamux.YamuxConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The host on real sockets.
public final class NetworkHost implements Host {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkHost.class);
  private static final long TRIM_SECONDS = 10;
  private static final Duration NEGOTIATION_TIMEOUT = Duration.ofSeconds(10);

  private final PrivateKey key;
  private final PeerId id;
  private final EventLoops loops;
  private final PeerStore peerStore;
  private final ResourceManager resources;
  private final ConnectionTrimmer connectionManager;
  private final Map<ProtocolId, StreamHandler> handlers = new ConcurrentHashMap<>();
  private final List<AddressSource> sources = new CopyOnWriteArrayList<>();
  private final List<AutoCloseable> services = new CopyOnWriteArrayList<>();
  private final InstantSource clock;
  private final Swarm swarm;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile @Nullable Identify identify;
  private volatile @Nullable Ping ping;

  private NetworkHost(
      PrivateKey key,
      EventLoops loops,
      Upgrader upgrader,
      PeerStore peerStore,
      ResourceManager resources,
      ConnectionTrimmer connectionManager,
      InstantSource clock) {
    this.key = key;
    this.id = PeerId.of(key.publicKey());
    this.loops = loops;
    this.peerStore = peerStore;
    this.resources = resources;
    this.connectionManager = connectionManager;
    this.clock = clock;
    this.swarm =
        new Swarm(
            id,
            loops,
            upgrader,
            resources,
            peerStore,
            clock,
            NEGOTIATION_TIMEOUT,
            handlers,
            this::trim);
  }

  /// What a host is started with; see [io.rigmesh.libp2p.HostBuilder].
  public record Settings(
      PrivateKey key,
      List<Multiaddr> listen,
      List<Multiaddr> announce,
      List<Security> securities,
      String agentVersion,
      ResourceLimits limits,
      ConnectionLimits connectionLimits,
      Optional<Path> peerStoreFile,
      Duration handshakeTimeout,
      boolean quic,
      int eventLoopThreads,
      InstantSource clock) {}

  /// Starts a host; on failure nothing is left open.
  public static Host start(Settings settings) {
    EventLoops loops = new EventLoops(settings.eventLoopThreads());
    List<StreamMuxer> muxers = List.of(new Yamux(YamuxConfig.defaults()));
    List<String> muxerNames = muxers.stream().map(StreamMuxer::protocol).toList();
    Upgrader upgrader =
        new Upgrader(
            settings.securities().stream()
                .map(security -> Securities.of(security, settings.key(), muxerNames))
                .toList(),
            muxers,
            settings.handshakeTimeout());
    BoundedPeerStore store =
        settings
            .peerStoreFile()
            .map(file -> BoundedPeerStore.open(file, PeerStoreLimits.defaults(), settings.clock()))
            .orElseGet(
                () -> BoundedPeerStore.inMemory(PeerStoreLimits.defaults(), settings.clock()));
    NetworkHost host =
        new NetworkHost(
            settings.key(),
            loops,
            upgrader,
            store,
            ResourceManager.limited(settings.limits(), settings.clock()),
            new ConnectionTrimmer(settings.connectionLimits()),
            settings.clock());
    host.addListener(store);
    host.services.add(store);
    try {
      host.begin(settings, upgrader);
      return host;
    } catch (RuntimeException e) {
      host.close();
      throw e;
    }
  }

  private void begin(Settings settings, Upgrader upgrader) {
    announce(settings::announce);
    // Before the first connection, so that none goes unidentified.
    identify =
        IdentifyService.start(this, IdentifySettings.defaults(settings.agentVersion(), clock));
    services.add(identify);
    ping = PingService.start(this);
    services.add(ping);
    swarm.addTransport(new TcpTransport(loops, upgrader));
    if (settings.quic()) {
      QuicTransport.unavailability()
          .ifPresentOrElse(
              why -> LOG.info("QUIC is not spoken here: {}", why),
              () -> swarm.addTransport(new QuicTransport(loops, key)));
    }
    for (Multiaddr address : settings.listen()) {
      try {
        swarm.listen(address).join();
      } catch (CompletionException e) {
        if (Failures.unwrapped(e) instanceof Libp2pException failure) {
          throw failure;
        }
        throw e;
      }
    }
    var timer =
        loops
            .group()
            .scheduleWithFixedDelay(this::trim, TRIM_SECONDS, TRIM_SECONDS, TimeUnit.SECONDS);
    services.add(() -> timer.cancel(false));
  }

  /// Closes connections that are worth least when there are too many.
  private void trim() {
    for (Connection connection : connectionManager.trim(swarm.connections(), clock.instant())) {
      connection.close("there are too many connections, and this one is worth least");
    }
  }

  @Override
  public PeerId id() {
    return id;
  }

  @Override
  public PrivateKey key() {
    return key;
  }

  @Override
  public List<Multiaddr> listenAddresses() {
    return swarm.listenAddresses();
  }

  @Override
  public List<Multiaddr> addresses() {
    Set<Multiaddr> all = new LinkedHashSet<>();
    for (Multiaddr listening : swarm.listenAddresses()) {
      all.addAll(InterfaceAddresses.expanded(listening));
    }
    for (AddressSource source : sources) {
      all.addAll(source.addresses());
    }
    return List.copyOf(all);
  }

  @Override
  public CompletableFuture<Connection> connect(PeerAddress peer) {
    return swarm.connect(peer);
  }

  @Override
  public CompletableFuture<Stream> open(PeerId peer, ProtocolId... protocols) {
    Optional<Connection> open = swarm.direct(peer);
    if (open.isPresent()) {
      return open.get().open(Arrays.asList(protocols));
    }
    return then(
        swarm.connect(new PeerAddress(peer, List.of())),
        connection ->
            connection.limited()
                ? CompletableFuture.failedFuture(
                    new Libp2pException(
                        "Only a relayed connection with "
                            + peer
                            + " is open, whose limits do not suit "
                            + protocols[0]))
                : connection.open(Arrays.asList(protocols)));
  }

  @Override
  public CompletableFuture<Stream> openLimited(PeerId peer, ProtocolId... protocols) {
    Optional<Connection> open = swarm.any(peer);
    if (open.isPresent()) {
      return open.get().open(Arrays.asList(protocols));
    }
    return then(
        swarm.connect(new PeerAddress(peer, List.of())),
        connection -> connection.open(Arrays.asList(protocols)));
  }

  /// Composes so that cancelling the result cancels the step that is under way.
  private static CompletableFuture<Stream> then(
      CompletableFuture<Connection> connecting,
      Function<Connection, CompletableFuture<Stream>> open) {
    CompletableFuture<Stream> result = new CompletableFuture<>();
    result.whenComplete((stream, failure) -> {
      if (failure != null) {
        connecting.cancel(true);
      }
    });
    connecting.whenComplete((connection, failure) -> {
      if (failure != null) {
        result.completeExceptionally(failure);
        return;
      }
      CompletableFuture<Stream> opening = open.apply(connection);
      result.whenComplete((stream, lost) -> {
        if (lost != null) {
          opening.cancel(true);
        }
      });
      opening.whenComplete((stream, refused) -> {
        if (refused != null) {
          result.completeExceptionally(refused);
        } else if (!result.complete(stream)) {
          stream.reset();
        }
      });
    });
    return result;
  }

  @Override
  public void handle(ProtocolId protocol, StreamHandler handler) {
    if (handlers.putIfAbsent(protocol, handler) != null) {
      throw new IllegalStateException(protocol + " is served already");
    }
    protocolsChanged();
  }

  @Override
  public void unhandle(ProtocolId protocol) {
    if (handlers.remove(protocol) != null) {
      protocolsChanged();
    }
  }

  private void protocolsChanged() {
    Identify service = identify;
    if (service != null && !closed.get()) {
      service.pushChanges();
    }
  }

  @Override
  public List<ProtocolId> protocols() {
    return List.copyOf(handlers.keySet());
  }

  @Override
  public List<Connection> connections() {
    return swarm.connections();
  }

  @Override
  public List<Connection> connections(PeerId peer) {
    return swarm.connections(peer);
  }

  @Override
  public CompletableFuture<Void> disconnect(PeerId peer, String reason) {
    return CompletableFuture.allOf(
        swarm.connections(peer).stream()
            .map(connection -> connection.close(reason))
            .toArray(CompletableFuture[]::new));
  }

  @Override
  public void addListener(ConnectionListener listener) {
    swarm.addListener(listener);
  }

  @Override
  public void removeListener(ConnectionListener listener) {
    swarm.removeListener(listener);
  }

  @Override
  public void announce(AddressSource source) {
    sources.add(source);
  }

  @Override
  public PeerStore peerStore() {
    return peerStore;
  }

  @Override
  public ResourceManager resources() {
    return resources;
  }

  @Override
  public ConnectionManager connectionManager() {
    return connectionManager;
  }

  @Override
  public Identify identify() {
    Identify service = identify;
    if (service == null) {
      throw new IllegalStateException("The host is still being built");
    }
    return service;
  }

  @Override
  public Ping ping() {
    Ping service = ping;
    if (service == null) {
      throw new IllegalStateException("The host is still being built");
    }
    return service;
  }

  @Override
  public Network network() {
    return swarm;
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    for (AutoCloseable service : services.reversed()) {
      try {
        service.close();
      } catch (Exception e) {
        LOG.warn("A service of the host did not close well", e);
      }
    }
    swarm.close();
    loops.close();
  }

  @Override
  public String toString() {
    return "host " + id;
  }
}
