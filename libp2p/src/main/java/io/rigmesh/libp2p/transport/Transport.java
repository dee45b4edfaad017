package io.rigmesh.libp2p.transport;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ConnectionScope;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One way to reach peers. What it yields is secured and multiplexed already.
public interface Transport extends AutoCloseable {
  boolean dials(Multiaddr address);

  boolean listens(Multiaddr address);

  /// Dials, secures and multiplexes. Cancelling the future closes whatever was opened so far.
  ///
  /// @param expected fails when the remote proves to be another; null accepts any
  /// @param scope where sockets and memory are counted; the caller ends it when the dial fails
  /// @param streams receives the remote's streams from the first moment on
  CompletableFuture<SecuredConnection> dial(
      Multiaddr address, @Nullable PeerId expected, ConnectionScope scope, StreamAcceptor streams);

  /// As [#dial], from a port that is listened on and with the remote dialling at the same moment,
  /// so that both sides' routers let the other through (hole punching).
  ///
  /// @param role OUTBOUND when this side is the client in the handshakes that follow, else INBOUND
  CompletableFuture<SecuredConnection> punch(
      Multiaddr address,
      PeerId expected,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams);

  /// Binds; completes when bound.
  CompletableFuture<Listener> listen(Multiaddr address, ConnectionAcceptor acceptor);

  @Override
  void close();
}
