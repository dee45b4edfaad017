package io.rigmesh.libp2p.transport;

import io.netty.channel.Channel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A way to encrypt a connection and prove both identities, such as Noise.
public interface SecureChannel {
  /// The name in multistream-select.
  String protocol();

  /// Runs the handshake on a channel, adding handlers to its end; called on the event loop. The
  /// future completes on the event loop before any decrypted byte is passed on; on failure the
  /// channel is closed.
  ///
  /// @param expected fails when the remote proves to be another; null accepts any
  /// @param muxers what is offered for inlined negotiation, best first
  CompletableFuture<Secured> secure(
      Channel channel, Direction direction, @Nullable PeerId expected, List<String> muxers);

  /// @param muxer what the handshake agreed on; null when it must be negotiated
  record Secured(PublicKey remoteKey, @Nullable String muxer) {}
}
