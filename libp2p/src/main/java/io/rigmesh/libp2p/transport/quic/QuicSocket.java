package io.rigmesh.libp2p.transport.quic;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicClientCodecBuilder;
import io.netty.handler.codec.quic.QuicCodecBuilder;
import io.netty.handler.codec.quic.QuicConnectionAddress;
import io.netty.handler.codec.quic.QuicServerCodecBuilder;
import io.netty.handler.codec.quic.QuicSslEngine;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.util.concurrent.Future;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.transport.ConnectionAcceptor;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.IpAddresses;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A UDP socket with the QUIC connections over it, accepted and dialled. Everything runs on its one
/// event loop; the methods may be called from any thread.
final class QuicSocket {
  /// Streams that the remote may have open at once on a connection; unidirectional ones have no use
  /// in libp2p.
  static final int STREAMS_MAX = 256;

  /// What may arrive on a new connection and on each of its streams without having been read.
  /// quiche lets these windows grow with what is read, to 24 MiB and 16 MiB.
  static final long CONNECTION_WINDOW_BYTES = 768 * 1024;

  static final long STREAM_WINDOW_BYTES = 512 * 1024;

  /// With more open handshakes than this, remotes must prove their addresses first.
  static final int UNPROVEN_HANDSHAKES_MAX = 8;

  private static final int SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPV6_V6ONLY = 26;

  private static final ChannelInitializer<QuicStreamChannel> REMOTE_STREAMS =
      new ChannelInitializer<>() {
        @Override
        protected void initChannel(QuicStreamChannel carrier) {
          Handshake owner = Handshake.of(carrier.parent());
          carrier.pipeline().addLast(new StreamReceiver(owner.streams()));
        }

        @Override
        public boolean isSharable() {
          return true;
        }
      };

  private final QuicTls tls;
  private final @Nullable ConnectionAcceptor acceptor;
  private final int unprovenHandshakesMax;
  private final QuicTimeouts timeouts;
  private final SecureRandom random = new SecureRandom();
  private final Channel channel;
  private final PacketRouter router;
  private final Set<QuicChannel> connections = ConcurrentHashMap.newKeySet();
  private final Map<InetSocketAddress, Handshake> expected = new HashMap<>();
  private int accepting;
  private boolean closing;

  private QuicSocket(
      EventLoops loops,
      QuicTls tls,
      SocketProtocolFamily family,
      @Nullable ConnectionAcceptor acceptor,
      int unprovenHandshakesMax,
      QuicTimeouts timeouts) {
    this.tls = tls;
    this.acceptor = acceptor;
    this.unprovenHandshakesMax = unprovenHandshakesMax;
    this.timeouts = timeouts;
    this.router = new PacketRouter(acceptor == null ? null : serverCodec(), clientCodec());
    this.channel =
        new Bootstrap()
            .group(loops.group())
            .channelFactory(() -> datagramChannel(loops, family))
            .option(ChannelOption.SO_RCVBUF, SOCKET_BUFFER_BYTES)
            .option(ChannelOption.SO_SNDBUF, SOCKET_BUFFER_BYTES)
            .handler(router)
            .register()
            .channel();
  }

  /// @param acceptor where accepted connections go; null for a socket that only dials
  static CompletableFuture<QuicSocket> bind(
      EventLoops loops,
      QuicTls tls,
      InetSocketAddress local,
      @Nullable ConnectionAcceptor acceptor,
      int unprovenHandshakesMax,
      QuicTimeouts timeouts) {
    SocketProtocolFamily family =
        local.getAddress() instanceof Inet6Address
            ? SocketProtocolFamily.INET6
            : SocketProtocolFamily.INET;
    QuicSocket socket =
        new QuicSocket(loops, tls, family, acceptor, unprovenHandshakesMax, timeouts);
    CompletableFuture<QuicSocket> result = new CompletableFuture<>();
    socket
        .channel
        .bind(local)
        .addListener((ChannelFuture bound) -> {
          if (bound.isSuccess()) {
            result.complete(socket);
          } else {
            socket.channel.close();
            result.completeExceptionally(
                new Libp2pException(
                    "Cannot listen on "
                        + IpAddresses.quic(local)
                        + ": "
                        + Failures.message(bound.cause())
                        + "; choose another port or stop what uses it",
                    bound.cause()));
          }
        });
    return result;
  }

  private static DatagramChannel datagramChannel(EventLoops loops, SocketProtocolFamily family) {
    if (!loops.epoll()) {
      return new NioDatagramChannel(family);
    }
    EpollDatagramChannel socket = new EpollDatagramChannel(family);
    if (family == SocketProtocolFamily.INET6) {
      // So that an IPv4 socket may have the same port.
      socket
          .config()
          .setOption(new IntegerUnixChannelOption("IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY), 1);
    }
    return socket;
  }

  private <B extends QuicCodecBuilder<B>> B limited(B codec) {
    return codec
        .localConnectionIdLength(PacketRouter.ID_BYTES)
        .maxIdleTimeout(timeouts.idle().toMillis(), TimeUnit.MILLISECONDS)
        .initialMaxData(CONNECTION_WINDOW_BYTES)
        .initialMaxStreamDataBidirectionalLocal(STREAM_WINDOW_BYTES)
        .initialMaxStreamDataBidirectionalRemote(STREAM_WINDOW_BYTES)
        .initialMaxStreamsBidirectional(STREAMS_MAX)
        .initialMaxStreamsUnidirectional(0);
  }

  private ChannelInboundHandler clientCodec() {
    return (ChannelInboundHandler)
        limited(new QuicClientCodecBuilder())
            .sslEngineProvider(connection ->
                tls.client(connection.alloc(), Handshake.of(connection).verification()))
            .build();
  }

  private ChannelInboundHandler serverCodec() {
    return (ChannelInboundHandler)
        limited(new QuicServerCodecBuilder())
            .sslEngineProvider(this::accept)
            .tokenHandler(
                new AddressTokens(
                    () -> accepting >= unprovenHandshakesMax,
                    () -> TimeUnit.NANOSECONDS.toSeconds(System.nanoTime())))
            .streamHandler(REMOTE_STREAMS)
            .build();
  }

  InetSocketAddress localAddress() {
    return (InetSocketAddress) channel.localAddress();
  }

  /// Whether packets to that address can leave from here.
  boolean reaches(InetAddress remote) {
    InetAddress local = localAddress().getAddress();
    return local.getClass() == remote.getClass()
        && (local.isAnyLocalAddress() || local.isLoopbackAddress() == remote.isLoopbackAddress());
  }

  private EventLoop loop() {
    return channel.eventLoop();
  }

  int connectionCount() {
    return connections.size();
  }

  // Dialling.

  /// Connects from this socket.
  void dial(Handshake handshake) {
    loop().execute(() -> connect(handshake));
  }

  private void connect(Handshake handshake) {
    if (handshake.result().isDone()) {
      closeWhenUnused();
      return;
    }
    if (!channel.isActive()) {
      handshake.fail(new Libp2pException("The socket to dial from is closed"));
      return;
    }
    byte[] id = new byte[PacketRouter.ID_BYTES];
    random.nextBytes(id);
    router.add(id);
    handshake
        .result()
        .whenComplete((secured, failure) -> {
          if (failure != null) {
            router.remove(id);
          }
        });
    Future<QuicChannel> connecting =
        QuicChannel.newBootstrap(channel)
            .handler(handshake)
            .streamHandler(REMOTE_STREAMS)
            .remoteAddress(handshake.remote())
            .localConnectionAddress(new QuicConnectionAddress(id))
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
            .connect();
    // Registered by now: this is the event loop. The rest is the handshake's own.
    QuicChannel connection = handshake.connection();
    if (connection != null) {
      track(connection);
      connection.closeFuture().addListener(closed -> router.remove(id));
    }
    handshake.limit(timeouts.dial());
    connecting.addListener(connected -> {
      if (!connected.isSuccess()) {
        handshake.fail(connected.cause());
      }
    });
  }

  private void track(QuicChannel connection) {
    connections.add(connection);
    connection
        .closeFuture()
        .addListener(closed -> {
          connections.remove(connection);
          closeWhenUnused();
        });
  }

  // Accepting.

  /// Called by the codec for a first packet, before anything native is allocated. What it throws
  /// makes the codec drop the packet: a remote that is refused for a passing reason tries again by
  /// itself.
  private QuicSslEngine accept(QuicChannel connection) {
    ConnectionAcceptor to = acceptor;
    if (to == null || closing) {
      throw new Libp2pException("The listener is closed");
    }
    InetSocketAddress remote = (InetSocketAddress) connection.remoteSocketAddress();
    Handshake handshake = expected.remove(remote);
    if (handshake == null) {
      handshake = admitted(remote, to);
    }
    Handshake accepted = handshake;
    connection.pipeline().addLast(accepted);
    accepting++;
    accepted.result().whenComplete((secured, failure) -> onLoop(() -> accepting--));
    track(connection);
    loop()
        .execute(() -> {
          if (connection.isRegistered()) {
            accepted.limit(timeouts.accept());
          } else {
            connections.remove(connection);
            accepted.fail(new Libp2pException("quiche does not take the connection"));
          }
        });
    return tls.server(connection.alloc(), accepted.verification());
  }

  private Handshake admitted(InetSocketAddress remote, ConnectionAcceptor to) {
    ConnectionScope scope = to.admit(IpAddresses.quic(remote));
    Handshake handshake = new Handshake(remote, null, scope, to.streams(), timeouts.keepAlive());
    handshake
        .result()
        .whenComplete((secured, failure) -> {
          if (secured != null) {
            to.accept(secured, scope, handshake.streams());
          } else {
            to.failed(handshake.remoteAddress(), scope, Failures.unwrapped(failure));
          }
        });
    return handshake;
  }

  // Hole punching.

  /// Sends random bytes to the remote's address, so that this side's router lets the remote's
  /// packets in, until its connection has come or the handshake is ended otherwise (dcutr
  /// specification, "Protocol": "random bytes ... in random intervals between 10 ms and 200 ms").
  void awaitPunched(Handshake handshake, Duration timeout) {
    loop()
        .execute(() -> {
          if (!channel.isActive() || closing || handshake.result().isDone()) {
            handshake.fail(new Libp2pException("The socket to punch from is closed"));
            return;
          }
          Handshake earlier = expected.put(handshake.remote(), handshake);
          if (earlier != null) {
            earlier.fail(new Libp2pException("Another hole is punched to the same address"));
          }
          handshake
              .result()
              .whenComplete((secured, failure) ->
                  onLoop(() -> expected.remove(handshake.remote(), handshake)));
          var timer =
              loop()
                  .schedule(
                      () ->
                          handshake.fail(
                              new Libp2pException(
                                  "No connection came from "
                                      + handshake.remoteAddress()
                                      + " through the punched hole within "
                                      + timeout.toMillis()
                                      + " ms")),
                      timeout.toNanos(),
                      TimeUnit.NANOSECONDS);
          handshake.result().whenComplete((secured, failure) -> timer.cancel(false));
          punch(handshake);
        });
  }

  private void punch(Handshake handshake) {
    if (handshake.result().isDone() || !channel.isActive()) {
      return;
    }
    byte[] noise = new byte[64];
    random.nextBytes(noise);
    ByteBuf bytes = channel.alloc().directBuffer(noise.length).writeBytes(noise);
    channel.writeAndFlush(new DatagramPacket(bytes, handshake.remote()));
    long pauseMillis = random.nextLong(10, 201);
    loop().schedule(() -> punch(handshake), pauseMillis, TimeUnit.MILLISECONDS);
  }

  // Closing.

  /// Accepts nothing more, and closes when the last connection has gone; what was called before is
  /// done before. Completes when nothing more is accepted.
  CompletableFuture<Void> release() {
    return CompletableFuture.runAsync(
        () -> {
          closing = true;
          closeWhenUnused();
        },
        loop());
  }

  private void closeWhenUnused() {
    if (closing && connections.isEmpty()) {
      channel.close();
    }
  }

  /// Closes the connections and the socket.
  CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    channel.closeFuture().addListener(closed -> done.complete(null));
    onLoop(() -> {
      closing = true;
      for (Handshake waiting : List.copyOf(expected.values())) {
        waiting.fail(new Libp2pException("This host closes"));
      }
      List<QuicChannel> open = new ArrayList<>(connections);
      for (QuicChannel connection : open) {
        new QuicSession(connection).close(QuicSession.NO_ERROR, "the host closes");
      }
      channel.close();
    });
    return done;
  }

  CompletableFuture<Void> closed() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    channel.closeFuture().addListener(closed -> done.complete(null));
    return done;
  }

  private void onLoop(Runnable task) {
    if (loop().inEventLoop()) {
      task.run();
    } else {
      loop().execute(task);
    }
  }
}
