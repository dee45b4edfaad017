package io.rigmesh.libp2p.tls;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.transport.SecureChannel;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/// TLS 1.3 over a plain channel (tls specification, `/tls/1.0.0`). The muxer is agreed in ALPN
/// (connections specification, "Multiplexer Negotiation over TLS").
///
/// Every connection has an `SSLContext` of its own: a trust manager decides about one remote and is
/// never shared, and no session is resumed, so that every handshake shows a certificate.
public final class TlsSecurity implements SecureChannel {
  /// Its name in multistream-select.
  public static final String PROTOCOL = "/tls/1.0.0";

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String ALPN = "libp2p";
  private static final long HANDSHAKE_SECONDS_MAX = 15;

  private final HostCertificate certificate;

  public TlsSecurity(PrivateKey key) {
    this(HostCertificate.issue(key));
  }

  TlsSecurity(HostCertificate certificate) {
    this.certificate = certificate;
  }

  @Override
  public String protocol() {
    return PROTOCOL;
  }

  @Override
  public CompletableFuture<Secured> secure(
      Channel channel, Direction direction, @Nullable PeerId expected, List<String> muxers) {
    PeerVerification verification = new PeerVerification(expected);
    SslHandler handler = new SslHandler(engine(direction, verification, List.copyOf(muxers)));
    handler.setHandshakeTimeout(HANDSHAKE_SECONDS_MAX, TimeUnit.SECONDS);
    CompletableFuture<Secured> result = new CompletableFuture<>();
    channel.pipeline().addLast(handler, new Outcome(handler.engine(), verification, result));
    result.whenComplete((secured, failure) -> {
      if (failure != null) {
        channel.close();
      }
    });
    return result;
  }

  private SSLEngine engine(
      Direction direction, PeerVerification verification, List<String> muxers) {
    SSLContext context;
    try {
      context = TolerantTls.context();
      context.init(
          new KeyManager[] {new HostKeyManager(certificate)},
          new TrustManager[] {new ConnectionTrustManager(verification)},
          RANDOM);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java runtime lacks TLS 1.3", e);
    }
    // Without the remote's name there is no server name indication.
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(direction == Direction.OUTBOUND);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {"TLSv1.3"});
    parameters.setNeedClientAuth(true);
    List<String> protocols = new ArrayList<>(muxers);
    protocols.add(ALPN);
    parameters.setApplicationProtocols(protocols.toArray(String[]::new));
    engine.setSSLParameters(parameters);
    if (direction == Direction.INBOUND) {
      // The client's order counts; null ends the handshake with no_application_protocol.
      engine.setHandshakeApplicationProtocolSelector((server, offered) ->
          offered.stream().filter(protocols::contains).findFirst().orElse(null));
    }
    return engine;
  }

  /// Completes the future when the handshake ends, before anything decrypted comes by.
  private static final class Outcome extends ChannelInboundHandlerAdapter {
    private final SSLEngine engine;
    private final PeerVerification verification;
    private final CompletableFuture<Secured> result;

    Outcome(SSLEngine engine, PeerVerification verification, CompletableFuture<Secured> result) {
      this.engine = engine;
      this.verification = verification;
      this.result = result;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof SslHandshakeCompletionEvent completion) {
        if (completion.isSuccess()) {
          context.pipeline().remove(this);
          succeed();
        } else {
          fail(completion.cause());
        }
      } else {
        context.fireUserEventTriggered(event);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      fail(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      result.completeExceptionally(
          new Libp2pException("The remote closed the connection in the TLS handshake"));
      context.fireChannelInactive();
    }

    private void succeed() {
      String protocol = engine.getApplicationProtocol();
      if (protocol == null || protocol.isEmpty()) {
        result.completeExceptionally(
            new PeerMisbehaviourException("The remote does not offer '" + ALPN + "' in ALPN"));
        return;
      }
      try {
        result.complete(
            new Secured(verification.remoteKey(), protocol.equals(ALPN) ? null : protocol));
      } catch (Libp2pException e) {
        result.completeExceptionally(e);
      }
    }

    private void fail(Throwable cause) {
      Libp2pException refusal = verification.refusal();
      result.completeExceptionally(
          refusal != null
              ? refusal
              : new Libp2pException("The TLS handshake failed: " + cause.getMessage(), cause));
    }
  }
}
