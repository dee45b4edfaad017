package io.rigmesh.libp2p.swarm;

import io.netty.channel.Channel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Security;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.noise.NoiseSecurity;
import io.rigmesh.libp2p.tls.TlsSecurity;
import io.rigmesh.libp2p.transport.SecureChannel;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The secure channels that a host offers on plain connections.
final class Securities {
  private Securities() {}

  static SecureChannel of(Security security, PrivateKey key, List<String> muxers) {
    return switch (security) {
      case NOISE -> new Noise(new NoiseSecurity(key, muxers));
      case TLS -> new TlsSecurity(key);
    };
  }

  private record Noise(NoiseSecurity security) implements SecureChannel {
    @Override
    public String protocol() {
      return NoiseSecurity.PROTOCOL;
    }

    @Override
    public CompletableFuture<Secured> secure(
        Channel channel, Direction direction, @Nullable PeerId expected, List<String> muxers) {
      return security
          .upgrade(channel, direction, expected)
          .thenApply(session -> new Secured(session.remoteKey(), session.muxer().orElse(null)));
    }
  }
}
