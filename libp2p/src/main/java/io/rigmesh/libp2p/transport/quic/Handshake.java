package io.rigmesh.libp2p.transport.quic;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicConnectionCloseEvent;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.tls.PeerVerification;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.IpAddresses;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection from its first packet until it is secured or has failed; the first handler in its
/// pipeline. Used on the socket's event loop, except for the future.
final class Handshake extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Handshake.class);

  /// The application error code of a connection over a limit.
  private static final int OVER_LIMIT = 1;

  private final InetSocketAddress remote;
  private final PeerVerification verification;
  private final ConnectionScope scope;
  private final StreamAcceptor streams;
  private final Duration keepAlive;
  private final CompletableFuture<SecuredConnection> result = new CompletableFuture<>();
  private @Nullable QuicChannel connection;
  private @Nullable QuicSession session;
  private @Nullable QuicConnectionCloseEvent closeEvent;
  private @Nullable Throwable problem;

  /// @param expected the only peer to accept; null accepts any
  Handshake(
      InetSocketAddress remote,
      @Nullable PeerId expected,
      ConnectionScope scope,
      StreamAcceptor streams,
      Duration keepAlive) {
    this.remote = remote;
    this.keepAlive = keepAlive;
    this.verification = new PeerVerification(expected);
    this.scope = scope;
    this.streams = streams;
  }

  static Handshake of(QuicChannel connection) {
    return connection.pipeline().get(Handshake.class);
  }

  /// Completes on the event loop; whoever completes it from outside ends the connection.
  CompletableFuture<SecuredConnection> result() {
    return result;
  }

  PeerVerification verification() {
    return verification;
  }

  StreamAcceptor streams() {
    return streams;
  }

  /// The connection; null until it is registered.
  @Nullable QuicChannel connection() {
    return connection;
  }

  InetSocketAddress remote() {
    return remote;
  }

  Multiaddr remoteAddress() {
    return IpAddresses.quic(remote);
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    QuicChannel added = (QuicChannel) context.channel();
    connection = added;
    // A connection that was never active tells its end in no other way.
    added.closeFuture().addListener(closed -> fail(null));
    result.whenComplete((secured, failure) -> {
      if (failure != null) {
        added.eventLoop().execute(added::close);
      }
    });
  }

  /// Fails when it takes longer.
  void limit(Duration timeout) {
    QuicChannel limited = connection;
    if (limited == null) {
      return;
    }
    var timer =
        limited
            .eventLoop()
            .schedule(
                () ->
                    fail(
                        new Libp2pException(
                            remoteAddress()
                                + " did not answer within "
                                + timeout.toMillis()
                                + " ms")),
                timeout.toNanos(),
                TimeUnit.NANOSECONDS);
    result.whenComplete((secured, failure) -> timer.cancel(false));
  }

  /// TLS is through, and quiche has verified the remote's certificate by then.
  @Override
  public void channelActive(ChannelHandlerContext context) {
    QuicChannel established = (QuicChannel) context.channel();
    try {
      PublicKey remoteKey = verification.remoteKey();
      QuicSession started = new QuicSession(established);
      session = started;
      try {
        scope.setPeer(PeerId.of(remoteKey));
        scope.reserveMemory(QuicSocket.CONNECTION_WINDOW_BYTES);
      } catch (Libp2pException e) {
        started.close(OVER_LIMIT, "over a limit");
        throw e;
      }
      KeepAlive.start(established, keepAlive);
      SecuredConnection secured =
          new SecuredConnection(
              remoteKey,
              IpAddresses.quic(LocalRoute.address(established)),
              remoteAddress(),
              QuicTransport.PROTOCOL,
              QuicTransport.PROTOCOL,
              false,
              started);
      if (!result.complete(secured)) {
        started.close();
      }
    } catch (Libp2pException e) {
      fail(e);
    }
    context.fireChannelActive();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof QuicConnectionCloseEvent close) {
      closeEvent = close;
      if (session != null) {
        session.remoteCloses(close);
      } else {
        // quiche would wait for stragglers for seconds, at its first guess of the round trip.
        fail(null);
      }
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    problem = cause;
    LOG.debug("QUIC with {}: {}", remote, cause.toString());
  }

  /// Ends the handshake, if it has not ended, for the best reason that is known.
  void fail(@Nullable Throwable cause) {
    if (result.isDone()) {
      return;
    }
    Libp2pException refusal = verification.refusal();
    if (refusal != null) {
      result.completeExceptionally(refusal);
    } else if (closeEvent != null) {
      result.completeExceptionally(
          new Libp2pException(
              "The QUIC handshake with "
                  + remoteAddress()
                  + " was "
                  + QuicSession.reason(closeEvent)));
    } else if (cause instanceof Libp2pException own) {
      result.completeExceptionally(own);
    } else {
      Throwable known = cause == null ? problem : cause;
      String failed = "The QUIC handshake with " + remoteAddress() + " failed: ";
      result.completeExceptionally(
          known == null
              ? new Libp2pException(failed + "the remote is silent or the socket closed")
              : new Libp2pException(failed + Failures.message(known), known));
    }
  }
}
