package io.rigmesh.libp2p.interop;

import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.Security;

/// The ways in which two peers of these tests are connected.
enum Wire {
  TCP_NOISE("/noise", "/yamux/1.0.0"),
  TCP_TLS("/tls/1.0.0", "/yamux/1.0.0"),
  QUIC("native", "quic");

  /// What js-libp2p calls them.
  final String jsSecurity;

  final String jsMuxer;

  Wire(String jsSecurity, String jsMuxer) {
    this.jsSecurity = jsSecurity;
    this.jsMuxer = jsMuxer;
  }

  /// js-libp2p's options, listening.
  JsPeer.Options js() {
    return switch (this) {
      case TCP_NOISE -> JsPeer.options().tcp("noise");
      case TCP_TLS -> JsPeer.options().tcp("tls");
      case QUIC -> JsPeer.options().quic();
    };
  }

  /// Ours, listening.
  HostBuilder ours() {
    return silent().listen(this == QUIC ? "/ip4/127.0.0.1/udp/0/quic-v1" : "/ip4/127.0.0.1/tcp/0");
  }

  /// Ours, which listens nowhere.
  HostBuilder silent() {
    HostBuilder builder = HostBuilder.anonymous();
    return switch (this) {
      case TCP_NOISE -> builder.withoutQuic().securities(Security.NOISE);
      case TCP_TLS -> builder.withoutQuic().securities(Security.TLS);
      case QUIC -> builder;
    };
  }
}
