package io.rigmesh.libp2p.swarm;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.peerstore.PeerStore;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.resource.ResourceManager;
import io.rigmesh.libp2p.transport.ConnectionAcceptor;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.Listener;
import io.rigmesh.libp2p.transport.Network;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import io.rigmesh.libp2p.transport.Transport;
import io.rigmesh.libp2p.transport.Upgrader;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The connections of a host: dials, listens, accepts, and tells who comes and goes.
final class Swarm implements Network, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Swarm.class);

  private final PeerId self;
  private final EventLoops loops;
  private final Upgrader upgrader;
  private final ResourceManager resources;
  private final PeerStore peerStore;
  private final InstantSource clock;
  private final Duration negotiationTimeout;
  private final Map<ProtocolId, StreamHandler> handlers;
  private final AddressResolver resolver;
  private final List<Transport> transports = new CopyOnWriteArrayList<>();
  private final List<Listener> listeners = new CopyOnWriteArrayList<>();
  private final List<ConnectionListener> observers = new CopyOnWriteArrayList<>();
  private final Map<PeerId, List<Connection>> connections = new ConcurrentHashMap<>();
  private final Map<PeerId, SharedDial> dials = new ConcurrentHashMap<>();
  private final Runnable opened;
  private volatile boolean closed;

  /// @param handlers what is served, changed by the host
  /// @param opened runs after each new connection is registered
  Swarm(
      PeerId self,
      EventLoops loops,
      Upgrader upgrader,
      ResourceManager resources,
      PeerStore peerStore,
      InstantSource clock,
      Duration negotiationTimeout,
      Map<ProtocolId, StreamHandler> handlers,
      Runnable opened) {
    this.self = self;
    this.loops = loops;
    this.resolver = new AddressResolver(loops);
    this.upgrader = upgrader;
    this.resources = resources;
    this.peerStore = peerStore;
    this.clock = clock;
    this.negotiationTimeout = negotiationTimeout;
    this.handlers = handlers;
    this.opened = opened;
  }

  @Override
  public void addTransport(Transport transport) {
    transports.add(transport);
  }

  @Override
  public CompletableFuture<Listener> listen(Multiaddr address) {
    Optional<Transport> transport =
        transports.stream().filter(one -> one.listens(address)).findFirst();
    if (transport.isEmpty()) {
      return CompletableFuture.failedFuture(
          new Libp2pException("No transport here listens on " + address));
    }
    return transport
        .get()
        .listen(address, acceptor())
        .thenApply(listener -> {
          listeners.add(listener);
          if (closed) {
            listener.close();
          }
          return listener;
        });
  }

  @Override
  public Upgrader upgrader() {
    return upgrader;
  }

  @Override
  public EventLoops eventLoops() {
    return loops;
  }

  List<Multiaddr> listenAddresses() {
    return listeners.stream().map(Listener::address).toList();
  }

  void addListener(ConnectionListener listener) {
    observers.add(listener);
  }

  void removeListener(ConnectionListener listener) {
    observers.remove(listener);
  }

  List<Connection> connections() {
    return connections.values().stream().flatMap(List::stream).toList();
  }

  List<Connection> connections(PeerId peer) {
    return List.copyOf(connections.getOrDefault(peer, List.of()));
  }

  /// The oldest open connection that is not limited.
  Optional<Connection> direct(PeerId peer) {
    return connections.getOrDefault(peer, List.of()).stream()
        .filter(connection -> connection.isOpen() && !connection.limited())
        .findFirst();
  }

  /// The best open connection: direct before limited.
  Optional<Connection> any(PeerId peer) {
    return direct(peer)
        .or(() ->
            connections.getOrDefault(peer, List.of()).stream()
                .filter(Connection::isOpen)
                .findFirst());
  }

  /// An open connection, or a new one; a dial that runs already is shared.
  CompletableFuture<Connection> connect(PeerAddress to) {
    PeerId peer = to.peer();
    if (closed) {
      return CompletableFuture.failedFuture(new Libp2pException("This host is closed"));
    }
    if (peer.equals(self)) {
      return CompletableFuture.failedFuture(
          new Libp2pException("A host does not connect to itself: " + peer));
    }
    Optional<Connection> open = direct(peer);
    if (open.isPresent()) {
      return CompletableFuture.completedFuture(open.get());
    }
    List<Multiaddr> addresses = new ArrayList<>(to.addresses());
    addresses.addAll(peerStore.addresses(peer));
    Optional<Connection> limited = any(peer);
    if (limited.isPresent() && addresses.stream().allMatch(AddressOrder::relayed)) {
      return CompletableFuture.completedFuture(limited.get());
    }
    SharedDial shared =
        dials.compute(
            peer,
            (id, running) -> {
              if (running != null && running.covers(addresses)) {
                return running;
              }
              return new SharedDial(addresses);
            });
    CompletableFuture<Connection> joined = shared.join();
    if (shared.begin()) {
      shared.result.whenComplete((connection, failure) -> dials.remove(peer, shared));
      // A dial that ended since this caller looked has made its connection before it left the map.
      direct(peer)
          .ifPresentOrElse(
              shared.result::complete,
              () -> Thread.ofVirtual().name("dial").start(() -> dial(peer, shared)));
    }
    return joined;
  }

  private void dial(PeerId peer, SharedDial shared) {
    List<Multiaddr> resolved = new ArrayList<>();
    for (Multiaddr address :
        shared.addresses.subList(0, Math.min(shared.addresses.size(), DialAttempt.ADDRESSES_MAX))) {
      resolved.addAll(resolver.resolve(address, peer));
    }
    DialAttempt attempt =
        new DialAttempt(peer, AddressOrder.ordered(resolved), transports, resources, loops.group());
    shared.result.whenComplete((connection, failure) -> {
      if (failure != null) {
        attempt.result().cancel(true);
      }
    });
    attempt
        .result()
        .whenComplete((dialled, failure) -> {
          if (failure != null) {
            shared.result.completeExceptionally(Failures.unwrapped(failure));
            return;
          }
          Connection connection =
              register(
                  dialled.connection(), Direction.OUTBOUND, dialled.scope(), dialled.streams());
          if (!shared.result.complete(connection)) {
            connection.close("nobody waits for it any more");
          }
        });
    attempt.start();
  }

  @Override
  public CompletableFuture<Connection> dial(PeerId peer, Multiaddr address) {
    return single(
        address,
        Direction.OUTBOUND,
        (transport, scope, streams) -> transport.dial(address, peer, scope, streams));
  }

  @Override
  public CompletableFuture<Connection> punch(PeerId peer, Multiaddr address, Direction role) {
    return single(
        address,
        role,
        (transport, scope, streams) -> transport.punch(address, peer, role, scope, streams));
  }

  /// How a transport is asked for one connection.
  private interface SingleDial {
    CompletableFuture<SecuredConnection> start(
        Transport transport, ConnectionScope scope, StreamAcceptor streams);
  }

  private CompletableFuture<Connection> single(
      Multiaddr address, Direction role, SingleDial dialler) {
    Optional<Transport> transport =
        transports.stream().filter(one -> one.dials(address)).findFirst();
    if (transport.isEmpty()) {
      return CompletableFuture.failedFuture(
          new Libp2pException("No transport here dials " + address));
    }
    ConnectionScope scope;
    try {
      scope = resources.openConnection(Direction.OUTBOUND, address);
    } catch (ResourceLimitException e) {
      return CompletableFuture.failedFuture(e);
    }
    InboundStreams streams = new InboundStreams();
    CompletableFuture<SecuredConnection> dial = dialler.start(transport.get(), scope, streams);
    CompletableFuture<Connection> result = new CompletableFuture<>();
    result.whenComplete((connection, failure) -> {
      if (failure != null) {
        dial.cancel(true);
      }
    });
    dial.whenComplete((connection, failure) -> {
      if (failure != null) {
        scope.close();
        result.completeExceptionally(Failures.unwrapped(failure));
      } else {
        Connection registered = register(connection, role, scope, streams);
        if (!result.complete(registered)) {
          registered.close("nobody waits for it any more");
        }
      }
    });
    return result;
  }

  private Connection register(
      SecuredConnection secured,
      Direction direction,
      ConnectionScope scope,
      InboundStreams streams) {
    SwarmConnection connection =
        new SwarmConnection(
            secured, direction, clock.instant(), scope, handlers, negotiationTimeout);
    connections.compute(
        connection.peer(),
        (peer, open) -> {
          List<Connection> all = open == null ? new CopyOnWriteArrayList<>() : open;
          all.add(connection);
          return all;
        });
    opened.run();
    observers.forEach(observer -> tell(() -> observer.connected(connection)));
    connection
        .closed()
        .thenAccept(reason -> {
          connections.computeIfPresent(
              connection.peer(),
              (peer, open) -> {
                open.remove(connection);
                return open.isEmpty() ? null : open;
              });
          observers.forEach(observer -> tell(() -> observer.disconnected(connection, reason)));
        });
    streams.handTo(connection::inbound);
    if (closed) {
      connection.close("this host is closing");
    }
    return connection;
  }

  private static void tell(Runnable event) {
    try {
      event.run();
    } catch (RuntimeException e) {
      LOG.warn("A connection listener failed", e);
    }
  }

  @Override
  public ConnectionAcceptor acceptor() {
    return new Acceptor();
  }

  /// Admits and registers what listeners accept.
  private final class Acceptor implements ConnectionAcceptor {
    @Override
    public ConnectionScope admit(Multiaddr remoteAddress) {
      if (closed) {
        throw new ResourceLimitException("This host is closing");
      }
      return resources.openConnection(Direction.INBOUND, remoteAddress);
    }

    @Override
    public StreamAcceptor streams() {
      return new InboundStreams();
    }

    @Override
    public void accept(
        SecuredConnection connection, ConnectionScope scope, StreamAcceptor streams) {
      if (PeerId.of(connection.remoteKey()).equals(self)) {
        connection.session().close();
        scope.close();
        return;
      }
      register(connection, Direction.INBOUND, scope, (InboundStreams) streams);
    }

    @Override
    public void failed(Multiaddr remoteAddress, ConnectionScope scope, Throwable cause) {
      LOG.debug("The handshake of {} failed: {}", remoteAddress, Failures.message(cause));
      scope.close();
    }
  }

  /// Closes the listeners, then every connection.
  @Override
  public void close() {
    closed = true;
    List<CompletableFuture<?>> ends = new ArrayList<>();
    listeners.forEach(listener -> ends.add(listener.close()));
    dials.values().forEach(dial -> dial.result.cancel(true));
    connections().forEach(connection -> ends.add(connection.close("this host is closing")));
    try {
      CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new))
          .orTimeout(5, TimeUnit.SECONDS)
          .join();
    } catch (CompletionException e) {
      LOG.debug("Some connections did not close in time: {}", Failures.message(e));
    }
    transports.forEach(Transport::close);
    resolver.close();
  }

  /// One dial that several callers wait for: it is abandoned when all of them have given up.
  private static final class SharedDial {
    final List<Multiaddr> addresses;
    final CompletableFuture<Connection> result = new CompletableFuture<>();
    private int waiting;
    private boolean begun;

    SharedDial(List<Multiaddr> addresses) {
      this.addresses = List.copyOf(addresses);
    }

    boolean covers(List<Multiaddr> wanted) {
      return !result.isDone() && addresses.containsAll(wanted);
    }

    synchronized boolean begin() {
      boolean first = !begun;
      begun = true;
      return first;
    }

    CompletableFuture<Connection> join() {
      synchronized (this) {
        waiting++;
      }
      CompletableFuture<Connection> mine = new CompletableFuture<>();
      result.whenComplete((connection, failure) -> {
        if (failure == null) {
          mine.complete(connection);
        } else {
          mine.completeExceptionally(Failures.unwrapped(failure));
        }
      });
      mine.whenComplete((connection, failure) -> {
        synchronized (this) {
          if (--waiting > 0) {
            return;
          }
        }
        if (mine.isCancelled()) {
          result.cancel(true);
        }
      });
      return mine;
    }
  }
}
