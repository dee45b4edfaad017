package io.rigmesh.libp2p.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.ProtocolRefusedException;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// TCP: `/ip4/1.2.3.4/tcp/4070`. Outbound connections leave from the listening port where the
/// system allows it, so that a router's mapping of that port is the one others learn and can dial.
public final class TcpTransport implements Transport {
  private static final Logger LOG = LoggerFactory.getLogger(TcpTransport.class);
  private static final int CONNECT_TIMEOUT_MS = 10_000;

  /// Linux's SOL_SOCKET and SO_REUSEPORT: Netty knows the option by name for servers alone.
  private static final ChannelOption<Integer> REUSE_PORT =
      new IntegerUnixChannelOption("SO_REUSEPORT", 1, 15);

  private final EventLoops loops;
  private final Upgrader upgrader;
  private final Set<BoundListener> listeners = ConcurrentHashMap.newKeySet();

  public TcpTransport(EventLoops loops, Upgrader upgrader) {
    this.loops = loops;
    this.upgrader = upgrader;
  }

  @Override
  public boolean dials(Multiaddr address) {
    return IpAddresses.isTcp(address) && address.parts().getLast().number() != 0;
  }

  @Override
  public boolean listens(Multiaddr address) {
    return IpAddresses.isTcp(address);
  }

  @Override
  public CompletableFuture<SecuredConnection> dial(
      Multiaddr address, @Nullable PeerId expected, ConnectionScope scope, StreamAcceptor streams) {
    CompletableFuture<SecuredConnection> result = new CompletableFuture<>();
    Dial dial = new Dial(address, expected, Direction.OUTBOUND, scope, streams, false, result);
    dial(dial, 0, listeningEnd(address, false));
    return result;
  }

  @Override
  public CompletableFuture<SecuredConnection> punch(
      Multiaddr address,
      PeerId expected,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams) {
    CompletableFuture<SecuredConnection> result = new CompletableFuture<>();
    InetSocketAddress from = listeningEnd(address, true);
    if (from == null) {
      return CompletableFuture.failedFuture(
          new Libp2pException(
              "Cannot punch a hole towards "
                  + address
                  + ": no TCP port is listened on from which this system can dial"));
    }
    dial(new Dial(address, expected, role, scope, streams, true, result), 0, from);
    return result;
  }

  /// What one dial is about.
  ///
  /// @param role client or server in the handshakes
  /// @param punched whether it makes sense only from the listening port
  private record Dial(
      Multiaddr address,
      @Nullable PeerId expected,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams,
      boolean punched,
      CompletableFuture<SecuredConnection> result) {}

  private void dial(Dial dial, int security, @Nullable InetSocketAddress from) {
    InetSocketAddress remote = IpAddresses.socketAddress(dial.address());
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loops.group())
            .channel(loops.socketType())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
            .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .option(ChannelOption.ALLOCATOR, EventLoops.ALLOCATOR)
            .handler(new Nothing());
    ChannelFuture connecting;
    if (from != null) {
      bootstrap.option(ChannelOption.SO_REUSEADDR, true).option(REUSE_PORT, 1);
      connecting = bootstrap.connect(remote, from);
    } else {
      connecting = bootstrap.connect(remote);
    }
    dial.result()
        .whenComplete((connection, failure) -> {
          if (failure != null) {
            connecting.cancel(true);
            connecting.channel().close();
          }
        });
    connecting.addListener((ChannelFuture connected) -> {
      if (dial.result().isDone()) {
        connected.channel().close();
      } else if (connected.isSuccess()) {
        upgrade(connected.channel(), dial, security, from);
      } else if (from != null && !dial.punched()) {
        LOG.debug("Not from {} to {}: {}", from, remote, Failures.message(connected.cause()));
        // The port may be taken towards this remote, by a connection that is just closing.
        dial(dial, security, null);
      } else {
        dial.result()
            .completeExceptionally(
                new Libp2pException(
                    "Cannot connect to "
                        + dial.address()
                        + ": "
                        + Failures.message(connected.cause()),
                    connected.cause()));
      }
    });
  }

  private void upgrade(Channel channel, Dial dial, int security, @Nullable InetSocketAddress from) {
    upgrader
        .upgrade(
            channel,
            new Upgrader.Request(
                dial.role(),
                dial.expected(),
                upgrader.securities().get(security),
                IpAddresses.tcp((InetSocketAddress) channel.localAddress()),
                dial.address(),
                false,
                dial.scope(),
                dial.streams()))
        .whenComplete((connection, failure) -> {
          if (failure == null) {
            if (!dial.result().complete(connection)) {
              connection.session().close();
            }
          } else if (Failures.unwrapped(failure) instanceof ProtocolRefusedException
              && security + 1 < upgrader.securities().size()) {
            dial(dial, security + 1, from);
          } else {
            dial.result().completeExceptionally(Failures.unwrapped(failure));
          }
        });
  }

  @Override
  public CompletableFuture<Listener> listen(Multiaddr address, ConnectionAcceptor acceptor) {
    CompletableFuture<Listener> result = new CompletableFuture<>();
    InetSocketAddress local = IpAddresses.socketAddress(address);
    try {
      requireFree(local);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(cannotListen(address, e));
    }
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops.group())
            .channel(loops.serverSocketType())
            .option(ChannelOption.SO_BACKLOG, 256)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
            .childOption(ChannelOption.ALLOCATOR, EventLoops.ALLOCATOR)
            .childHandler(new Accepted(acceptor));
    if (loops.epoll()) {
      bootstrap.option(EpollChannelOption.SO_REUSEPORT, true);
    }
    bootstrap
        .bind(local)
        .addListener((ChannelFuture bound) -> {
          if (bound.isSuccess()) {
            BoundListener listener = new BoundListener(bound.channel(), address);
            listeners.add(listener);
            result.complete(listener);
          } else {
            result.completeExceptionally(cannotListen(address, bound.cause()));
          }
        });
    return result;
  }

  /// A port that is dialled from must be shared, and a shared port can be listened on twice:
  /// somebody else's listener is found by binding without sharing first.
  private void requireFree(InetSocketAddress local) throws IOException {
    if (loops.epoll() && local.getPort() != 0) {
      try (ServerSocket probe = new ServerSocket()) {
        probe.setReuseAddress(true);
        probe.bind(local);
      }
    }
  }

  private static Libp2pException cannotListen(Multiaddr address, Throwable cause) {
    return new Libp2pException(
        "Cannot listen on "
            + address
            + ": "
            + Failures.message(cause)
            + "; choose another port or stop what uses it",
        cause);
  }

  /// The listening end to dial from; null for any. A dial leaves from a wildcard address, and needs
  /// no mapping towards loopback; a hole can be punched from any address that is listened on.
  private @Nullable InetSocketAddress listeningEnd(Multiaddr remote, boolean punched) {
    InetAddress address = IpAddresses.socketAddress(remote).getAddress();
    if (!loops.epoll() || (address.isLoopbackAddress() && !punched)) {
      return null;
    }
    return listeners.stream()
        .map(BoundListener::address)
        .filter(local -> local.has(AddressProtocol.IP4) == (address instanceof Inet4Address))
        .map(IpAddresses::socketAddress)
        .filter(local ->
            local.getAddress().isAnyLocalAddress()
                || (punched
                    && local.getAddress().isLoopbackAddress() == address.isLoopbackAddress()))
        .findFirst()
        .orElse(null);
  }

  @Override
  public void close() {
    listeners.forEach(BoundListener::close);
  }

  /// Small enough that a slow reader is felt soon, large enough for two full frames.
  private static final WriteBufferWaterMark WATER_MARK =
      new WriteBufferWaterMark(64 * 1024, 256 * 1024);

  /// A dialled channel gets its handlers when it is connected.
  private static final class Nothing extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {}
  }

  /// Asks whether an accepted socket may stay, then upgrades it.
  private final class Accepted extends ChannelInitializer<Channel> {
    private final ConnectionAcceptor acceptor;

    Accepted(ConnectionAcceptor acceptor) {
      this.acceptor = acceptor;
    }

    @Override
    protected void initChannel(Channel channel) {
      Multiaddr remote = IpAddresses.tcp((InetSocketAddress) channel.remoteAddress());
      ConnectionScope scope;
      try {
        scope = acceptor.admit(remote);
      } catch (ResourceLimitException e) {
        LOG.debug("Refused a connection from {}: {}", remote, e.getMessage());
        channel.close();
        return;
      }
      StreamAcceptor streams = acceptor.streams();
      upgrader
          .upgrade(
              channel,
              new Upgrader.Request(
                  Direction.INBOUND,
                  null,
                  null,
                  IpAddresses.tcp((InetSocketAddress) channel.localAddress()),
                  remote,
                  false,
                  scope,
                  streams))
          .whenComplete((connection, failure) -> {
            if (failure == null) {
              acceptor.accept(connection, scope, streams);
            } else {
              acceptor.failed(remote, scope, Failures.unwrapped(failure));
            }
          });
    }
  }

  /// A bound server socket.
  private final class BoundListener implements Listener {
    private final Channel channel;
    private final Multiaddr address;

    /// @param given what was asked for: the system may report IPv4's wildcard as IPv6's
    BoundListener(Channel channel, Multiaddr given) {
      this.channel = channel;
      this.address =
          given.slice(0, 1).then("/tcp/" + ((InetSocketAddress) channel.localAddress()).getPort());
    }

    @Override
    public Multiaddr address() {
      return address;
    }

    @Override
    public CompletableFuture<Void> close() {
      CompletableFuture<Void> done = new CompletableFuture<>();
      listeners.remove(this);
      channel.close().addListener(closed -> done.complete(null));
      return done;
    }
  }
}
