package io.rigmesh.libp2p.transport.quic;

import io.netty.handler.codec.quic.Quic;
import io.netty.util.concurrent.EventExecutor;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.tls.HostCertificate;
import io.rigmesh.libp2p.transport.ConnectionAcceptor;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.IpAddresses;
import io.rigmesh.libp2p.transport.Listener;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import io.rigmesh.libp2p.transport.Transport;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// QUIC version 1: `/ip4/1.2.3.4/udp/4070/quic-v1` (quic specification). Connections are dialled
/// from a listening socket of the same family when there is one, so that a router's mapping of its
/// port is the one that others learn and can dial, and from a socket of their own otherwise.
/// Thread-safe.
public final class QuicTransport implements Transport {
  /// What a connection names as its security and its muxer.
  public static final String PROTOCOL = "/quic-v1";

  private static final Logger LOG = LoggerFactory.getLogger(QuicTransport.class);
  private static final Duration PUNCH_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final EventLoops loops;
  private final QuicTls tls;
  private final int unprovenHandshakesMax;
  private final QuicTimeouts timeouts;
  private final Set<QuicSocket> listening = ConcurrentHashMap.newKeySet();
  private final Set<QuicSocket> sockets = ConcurrentHashMap.newKeySet();

  /// @throws IllegalStateException when [#unavailability] is not empty
  public QuicTransport(EventLoops loops, PrivateKey key) {
    this(
        loops,
        HostCertificate.issue(key),
        QuicSocket.UNPROVEN_HANDSHAKES_MAX,
        QuicTimeouts.defaults());
  }

  /// @param unprovenHandshakesMax with more open handshakes, remotes must prove their addresses
  QuicTransport(
      EventLoops loops,
      HostCertificate certificate,
      int unprovenHandshakesMax,
      QuicTimeouts timeouts) {
    unavailability()
        .ifPresent(why -> {
          throw new IllegalStateException(why);
        });
    this.loops = loops;
    this.tls = new QuicTls(certificate);
    this.unprovenHandshakesMax = unprovenHandshakesMax;
    this.timeouts = timeouts;
  }

  /// Why there is no QUIC on this machine; empty when there is. Its native library is packaged for
  /// Linux on x86-64.
  public static Optional<String> unavailability() {
    Throwable cause = Quic.unavailabilityCause();
    return cause == null
        ? Optional.empty()
        : Optional.of(
            "QUIC needs a native library that is not packaged for this machine: "
                + Failures.message(cause));
  }

  @Override
  public boolean dials(Multiaddr address) {
    return IpAddresses.isQuic(address) && IpAddresses.socketAddress(address).getPort() != 0;
  }

  @Override
  public boolean listens(Multiaddr address) {
    return IpAddresses.isQuic(address);
  }

  @Override
  public CompletableFuture<SecuredConnection> dial(
      Multiaddr address, @Nullable PeerId expected, ConnectionScope scope, StreamAcceptor streams) {
    Handshake handshake = handshake(address, expected, scope, streams);
    Optional<QuicSocket> listener = listener(handshake.remote().getAddress());
    if (listener.isPresent()) {
      listener.get().dial(handshake);
    } else {
      QuicSocket.bind(loops, tls, any(handshake.remote().getAddress()), null, 0, timeouts)
          .whenComplete((socket, failure) -> {
            if (failure != null) {
              handshake.fail(Failures.unwrapped(failure));
            } else {
              track(socket);
              socket.dial(handshake);
              // Queued behind the dial: the socket closes with its one connection.
              socket.release();
            }
          });
    }
    return handshake.result();
  }

  @Override
  public CompletableFuture<SecuredConnection> punch(
      Multiaddr address,
      PeerId expected,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams) {
    Handshake handshake = handshake(address, expected, scope, streams);
    Optional<QuicSocket> listener = listener(handshake.remote().getAddress());
    if (listener.isEmpty()) {
      handshake.fail(
          new Libp2pException(
              "A hole is punched from a listening socket, and none reaches " + address));
    } else if (role == Direction.OUTBOUND) {
      listener.get().dial(handshake);
    } else {
      listener.get().awaitPunched(handshake, PUNCH_TIMEOUT);
    }
    return handshake.result();
  }

  private Handshake handshake(
      Multiaddr address, @Nullable PeerId expected, ConnectionScope scope, StreamAcceptor streams) {
    if (!dials(address)) {
      throw new IllegalArgumentException("Not an address to dial with QUIC: " + address);
    }
    return new Handshake(
        IpAddresses.socketAddress(address), expected, scope, streams, timeouts.keepAlive());
  }

  private Optional<QuicSocket> listener(InetAddress remote) {
    return listening.stream().filter(socket -> socket.reaches(remote)).findFirst();
  }

  private static InetSocketAddress any(InetAddress sameFamily) {
    try {
      return new InetSocketAddress(
          InetAddress.getByAddress(new byte[sameFamily.getAddress().length]), 0);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("An address of zeros is an address", e);
    }
  }

  /// Open sockets, listening or not.
  int socketCount() {
    return sockets.size();
  }

  /// Connections over all sockets, also in their handshakes.
  int connectionCount() {
    return sockets.stream().mapToInt(QuicSocket::connectionCount).sum();
  }

  private void track(QuicSocket socket) {
    sockets.add(socket);
    socket.closed().whenComplete((closed, failure) -> sockets.remove(socket));
  }

  @Override
  public CompletableFuture<Listener> listen(Multiaddr address, ConnectionAcceptor acceptor) {
    return QuicSocket.bind(
            loops,
            tls,
            IpAddresses.socketAddress(address),
            acceptor,
            unprovenHandshakesMax,
            timeouts)
        .thenApply(socket -> {
          track(socket);
          listening.add(socket);
          socket.closed().whenComplete((closed, failure) -> listening.remove(socket));
          return new BoundListener(socket);
        });
  }

  /// Closes the sockets and all connections over them; waits until they are closed, except on an
  /// event loop.
  @Override
  public void close() {
    CompletableFuture<Void> closed =
        CompletableFuture.allOf(
            sockets.stream().map(QuicSocket::close).toArray(CompletableFuture[]::new));
    for (EventExecutor loop : loops.group()) {
      if (loop.inEventLoop()) {
        return;
      }
    }
    try {
      closed.get(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("A QUIC socket did not close: {}", Failures.message(e));
    }
  }

  /// A listening socket. Connections over it, dialled ones too, outlive the listener: the socket
  /// closes with the last of them.
  private final class BoundListener implements Listener {
    private final QuicSocket socket;
    private final Multiaddr address;

    BoundListener(QuicSocket socket) {
      this.socket = socket;
      this.address = IpAddresses.quic(socket.localAddress());
    }

    @Override
    public Multiaddr address() {
      return address;
    }

    @Override
    public CompletableFuture<Void> close() {
      listening.remove(socket);
      return socket.release();
    }
  }
}
