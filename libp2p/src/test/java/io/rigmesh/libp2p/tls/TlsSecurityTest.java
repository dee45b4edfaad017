package io.rigmesh.libp2p.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.transport.BufferLeaks;
import io.rigmesh.libp2p.transport.EventLoops;
import io.rigmesh.libp2p.transport.SecureChannel.Secured;
import io.rigmesh.libp2p.transport.StreamProbe;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/// Two ends of a TCP connection over loopback.
@ExtendWith(BufferLeaks.class)
@Timeout(180)
class TlsSecurityTest {
  private static final String YAMUX = "/yamux/1.0.0";
  private static final String MPLEX = "/mplex/6.7.0";
  private static final int SERVER_NAME = 0;
  private static final int ALPN = 16;
  private static final int SUPPORTED_VERSIONS = 43;

  private final EventLoops loops = new EventLoops(2);
  private final Ed25519PrivateKey serverKey = Ed25519PrivateKey.generate(new SecureRandom());
  private final Ed25519PrivateKey clientKey = Ed25519PrivateKey.generate(new SecureRandom());
  private final PeerId serverId = PeerId.of(serverKey.publicKey());
  private final TlsSecurity server = new TlsSecurity(serverKey);
  private final TlsSecurity client = new TlsSecurity(clientKey);
  private final BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();
  private Channel listening;

  @BeforeEach
  void listen() {
    listening =
        new ServerBootstrap()
            .group(loops.group())
            .channel(loops.serverSocketType())
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.config().setAutoRead(false);
                    accepted.add(channel);
                  }
                })
            .bind(new InetSocketAddress("127.0.0.1", 0))
            .syncUninterruptibly()
            .channel();
  }

  @AfterEach
  void close() {
    loops.close();
  }

  @Test
  void bothSidesLearnTheOthersKeyAndTheMuxer() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    Secured out = pair.out(client, serverId, List.of(YAMUX)).get(60, TimeUnit.SECONDS);
    assertThat(out).isEqualTo(new Secured(serverKey.publicKey(), YAMUX));
    assertThat(in.get(60, TimeUnit.SECONDS)).isEqualTo(new Secured(clientKey.publicKey(), YAMUX));
  }

  @Test
  void theClientsFirstMuxerWins() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX, MPLEX));
    assertThat(pair.out(client, serverId, List.of(MPLEX, YAMUX)).get(60, TimeUnit.SECONDS).muxer())
        .isEqualTo(MPLEX);
    assertThat(in.get(60, TimeUnit.SECONDS).muxer()).isEqualTo(MPLEX);
  }

  @Test
  void withoutACommonMuxerItIsNegotiatedLater() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    assertThat(pair.out(client, serverId, List.of(MPLEX)).get(60, TimeUnit.SECONDS).muxer())
        .isNull();
    assertThat(in.get(60, TimeUnit.SECONDS).muxer()).isNull();
  }

  @Test
  void bytesPassBothWaysAfterTheHandshake() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    pair.out(client, serverId, List.of(YAMUX)).get(60, TimeUnit.SECONDS);
    in.get(60, TimeUnit.SECONDS);
    StreamProbe fromClient = pair.inboundProbe.get(60, TimeUnit.SECONDS).readAll();
    StreamProbe fromServer = pair.outboundProbe.get(60, TimeUnit.SECONDS).readAll();
    fromServer.write("from the client".getBytes(StandardCharsets.UTF_8));
    fromClient.write("from the server".getBytes(StandardCharsets.UTF_8));
    fromClient.awaitSome();
    fromServer.awaitSome();
    assertThat(fromClient.received()).asString(StandardCharsets.UTF_8).isEqualTo("from the client");
    assertThat(fromServer.received()).asString(StandardCharsets.UTF_8).isEqualTo("from the server");
  }

  @Test
  void offersTls13AloneAndNoServerName() throws Exception {
    Pair pair = new Pair();
    StreamProbe wire = StreamProbe.attach((DuplexChannel) pair.inbound);
    pair.out(client, serverId, List.of(YAMUX));
    pair.inbound.read();
    wire.awaitSome();
    Map<Integer, byte[]> extensions = clientHelloExtensions(ByteBuffer.wrap(wire.received()));
    assertThat(extensions).doesNotContainKey(SERVER_NAME);
    assertThat(extensions.get(SUPPORTED_VERSIONS)).isEqualTo(new byte[] {2, 3, 4});
    assertThat(new String(extensions.get(ALPN), StandardCharsets.US_ASCII))
        .endsWith(YAMUX + "\u0006libp2p");
    pair.outbound.close();
  }

  /// The extensions of a TLS record with a ClientHello (RFC 8446, section 4.1.2).
  private static Map<Integer, byte[]> clientHelloExtensions(ByteBuffer record) {
    // The headers of the record and of the message, the version and the random.
    record.position(5 + 4 + 2 + 32);
    skip(record, record.get());
    skip(record, record.getShort());
    skip(record, record.get());
    record.limit(2 + record.position() + record.getShort(record.position()));
    record.getShort();
    Map<Integer, byte[]> extensions = new HashMap<>();
    while (record.hasRemaining()) {
      int type = record.getShort();
      byte[] value = new byte[record.getShort()];
      record.get(value);
      extensions.put(type, value);
    }
    return extensions;
  }

  private static void skip(ByteBuffer record, int bytes) {
    record.position(record.position() + bytes);
  }

  @Test
  void aWrongPeerFailsBothSides() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    PeerId other = PeerId.of(clientKey.publicKey());
    assertThatThrownBy(() -> pair.out(client, other, List.of(YAMUX)).get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("The remote is " + serverId + ", not the expected " + other);
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(Libp2pException.class);
    assertThat(pair.outbound.closeFuture().await(60_000)).isTrue();
    assertThat(pair.inbound.closeFuture().await(60_000)).isTrue();
  }

  @Test
  void concurrentHandshakesDoNotMixUpTheirExpectations() throws Exception {
    PeerId wrong = PeerId.of(clientKey.publicKey());
    List<CompletableFuture<Secured>> right = new ArrayList<>();
    List<CompletableFuture<Secured>> bad = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      for (boolean expectsRight : new boolean[] {true, false}) {
        Pair pair = new Pair();
        pair.in(server, null, List.of(YAMUX));
        (expectsRight ? right : bad)
            .add(pair.out(client, expectsRight ? serverId : wrong, List.of(YAMUX)));
      }
    }
    for (CompletableFuture<Secured> one : right) {
      assertThat(one.get(60, TimeUnit.SECONDS).remoteKey()).isEqualTo(serverKey.publicKey());
    }
    for (CompletableFuture<Secured> one : bad) {
      assertThatThrownBy(() -> one.get(60, TimeUnit.SECONDS)).hasMessageContaining("expected");
    }
  }

  @Test
  void refusesForgedAndExpiredCertificatesOnBothSides() throws Exception {
    refuses(ForgedCertificates.ofAnotherKey(clientKey), "signature is not the host key's");
    refuses(ForgedCertificates.expired(clientKey), "has expired");
    refuses(ForgedCertificates.withoutIdentity(), "lacks the libp2p extension");
  }

  private void refuses(HostCertificate certificate, String reason) throws Exception {
    TlsSecurity forger = new TlsSecurity(certificate);
    Pair asClient = new Pair();
    CompletableFuture<Secured> in = asClient.in(server, null, List.of(YAMUX));
    asClient.out(forger, null, List.of(YAMUX));
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining(reason);
    Pair asServer = new Pair();
    asServer.in(forger, null, List.of(YAMUX));
    assertThatThrownBy(() -> asServer.out(client, null, List.of(YAMUX)).get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void refusesAChainOfTwoCertificates() throws Exception {
    HostCertificate own = HostCertificate.issue(clientKey);
    HostCertificate second = HostCertificate.issue(clientKey);
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    foreign(pair, own, List.of("libp2p"), second);
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("2 certificates");
  }

  @Test
  void refusesAClientWithoutLibp2pInAlpn() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    foreign(pair, HostCertificate.issue(clientKey), List.of("h2"));
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(Libp2pException.class);
    Pair none = new Pair();
    CompletableFuture<Secured> noneIn = none.in(server, null, List.of(YAMUX));
    foreign(none, HostCertificate.issue(clientKey), List.of());
    assertThatThrownBy(() -> noneIn.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("ALPN");
  }

  @Test
  void refusesAClientWithoutACertificate() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    foreign(pair, null, List.of("libp2p"));
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(Libp2pException.class);
  }

  @Test
  void garbageEndsTheHandshake() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    ByteBuf garbage = Unpooled.copiedBuffer("GET / HTTP/1.1\r\n\r\n", StandardCharsets.US_ASCII);
    pair.outbound.writeAndFlush(garbage);
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("TLS handshake failed");
    assertThat(pair.inbound.closeFuture().await(60_000)).isTrue();
  }

  @Test
  void aSilentCloseEndsTheHandshake() throws Exception {
    Pair pair = new Pair();
    CompletableFuture<Secured> in = pair.in(server, null, List.of(YAMUX));
    pair.outbound.close();
    assertThatThrownBy(() -> in.get(60, TimeUnit.SECONDS))
        .hasCauseInstanceOf(Libp2pException.class);
  }

  /// A client with an own idea of certificates and ALPN.
  private static void foreign(
      Pair pair, HostCertificate certificate, List<String> protocols, HostCertificate... more)
      throws Exception {
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    javax.net.ssl.KeyManager[] keys =
        certificate == null
            ? new javax.net.ssl.KeyManager[0]
            : new javax.net.ssl.KeyManager[] {
              new HostKeyManager(certificate) {
                @Override
                public java.security.cert.X509Certificate[] getCertificateChain(String alias) {
                  List<java.security.cert.X509Certificate> chain = new ArrayList<>();
                  chain.add(certificate.certificate());
                  for (HostCertificate one : more) {
                    chain.add(one.certificate());
                  }
                  return chain.toArray(java.security.cert.X509Certificate[]::new);
                }
              }
            };
    TrustManager trusting = new ConnectionTrustManager(new PeerVerification(null));
    context.init(keys, new TrustManager[] {trusting}, null);
    SSLEngine engine = context.createSSLEngine();
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setApplicationProtocols(protocols.toArray(String[]::new));
    engine.setSSLParameters(parameters);
    pair.outbound.pipeline().addLast(new SslHandler(engine), new Quiet());
    pair.outbound.read();
  }

  /// A TCP connection whose bytes are read when a handshake asks for them.
  private final class Pair {
    final Channel outbound;
    final Channel inbound;
    final CompletableFuture<StreamProbe> outboundProbe = new CompletableFuture<>();
    final CompletableFuture<StreamProbe> inboundProbe = new CompletableFuture<>();

    Pair() throws Exception {
      outbound =
          new Bootstrap()
              .group(loops.group())
              .channel(loops.socketType())
              .option(io.netty.channel.ChannelOption.AUTO_READ, false)
              .handler(new Quiet())
              .connect(listening.localAddress())
              .sync()
              .channel();
      Channel other = accepted.poll(60, TimeUnit.SECONDS);
      assertThat(other).isNotNull();
      inbound = other;
    }

    CompletableFuture<Secured> in(TlsSecurity security, PeerId expected, List<String> muxers) {
      return secure(inbound, Direction.INBOUND, security, expected, muxers);
    }

    CompletableFuture<Secured> out(TlsSecurity security, PeerId expected, List<String> muxers) {
      return secure(outbound, Direction.OUTBOUND, security, expected, muxers);
    }

    private CompletableFuture<Secured> secure(
        Channel channel,
        Direction direction,
        TlsSecurity security,
        PeerId expected,
        List<String> muxers) {
      CompletableFuture<StreamProbe> probe = channel == inbound ? inboundProbe : outboundProbe;
      return CompletableFuture.supplyAsync(
              () ->
                  security
                      .secure(channel, direction, expected, muxers)
                      .thenApply(secured -> {
                        // On the event loop, before anything decrypted comes by.
                        probe.complete(StreamProbe.attach((DuplexChannel) channel));
                        return secured;
                      }),
              channel.eventLoop())
          .thenCompose(secured -> {
            channel.read();
            return secured;
          });
    }
  }

  /// Takes the exceptions that a refused handshake leaves behind.
  private static final class Quiet extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(io.netty.channel.ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
