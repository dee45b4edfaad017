package io.rigmesh.libp2p;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// A secured and multiplexed connection to one peer, whose identity has been proven. Thread-safe.
public interface Connection {
  PeerId peer();

  PublicKey remoteKey();

  Multiaddr localAddress();

  /// Where the remote was dialled, or where it came from; without `/p2p/`, except the relay's part
  /// of a relayed address.
  Multiaddr remoteAddress();

  Direction direction();

  Instant openedAt();

  /// `/noise`, `/tls/1.0.0`, or `quic-v1`'s own.
  String security();

  /// `/yamux/1.0.0`, or `quic-v1`'s own.
  String muxer();

  /// Whether it runs through a relay, with that relay's limits on time and bytes: such a connection
  /// is used only by protocols that ask for it with [Host#openLimited].
  boolean limited();

  /// Opens a stream and agrees on the first of these protocols that the remote speaks.
  ///
  /// With a single protocol its name is sent with the first bytes written, and the future completes
  /// before the remote has answered (one round trip less); a refusal then shows as a reset with its
  /// reason. Cancelling the future resets the stream.
  CompletableFuture<Stream> open(List<ProtocolId> protocols);

  List<Stream> streams();

  boolean isOpen();

  /// Closes every stream and the connection; completes when the socket is gone.
  CompletableFuture<Void> close(String reason);

  /// Completes with the reason when the connection is gone, however that came.
  CompletableFuture<String> closed();
}
