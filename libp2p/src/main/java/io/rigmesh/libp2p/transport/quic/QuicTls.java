package io.rigmesh.libp2p.transport.quic;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.quic.QuicSslContext;
import io.netty.handler.codec.quic.QuicSslContextBuilder;
import io.netty.handler.codec.quic.QuicSslEngine;
import io.netty.handler.ssl.ClientAuth;
import io.rigmesh.libp2p.tls.HostCertificate;
import io.rigmesh.libp2p.tls.PeerVerification;
import javax.net.ssl.TrustManager;

/// The TLS side of a host's QUIC: one certificate, and engines that each verify their own remote.
/// Netty frees the native contexts with the garbage.
final class QuicTls {
  private static final String ALPN = "libp2p";

  private final QuicSslContext client;
  private final QuicSslContext server;

  QuicTls(HostCertificate certificate) {
    TrustManager trust = new EngineTrustManager();
    this.client =
        QuicSslContextBuilder.forClient()
            .keyManager(certificate.key(), null, certificate.certificate())
            .trustManager(trust)
            .applicationProtocols(ALPN)
            .earlyData(false)
            .build();
    this.server =
        QuicSslContextBuilder.forServer(certificate.key(), null, certificate.certificate())
            .trustManager(trust)
            .applicationProtocols(ALPN)
            .clientAuth(ClientAuth.REQUIRE)
            .earlyData(false)
            .build();
  }

  /// An engine without the remote's name: it sends no server name and resumes no session.
  QuicSslEngine client(ByteBufAllocator allocator, PeerVerification verification) {
    return bound(client.newEngine(allocator), verification);
  }

  QuicSslEngine server(ByteBufAllocator allocator, PeerVerification verification) {
    return bound(server.newEngine(allocator), verification);
  }

  private static QuicSslEngine bound(QuicSslEngine engine, PeerVerification verification) {
    EngineTrustManager.bind(engine, verification);
    return engine;
  }
}
