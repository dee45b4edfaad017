package io.rigmesh.node.network;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Stream;

/// A stream to a peer, to be read and written from a thread.
///
/// @param stream the stream
/// @param io its bytes
public record PeerStream(Stream stream, BlockingStream io) implements AutoCloseable {
  /// A stream that nobody else reads.
  public static PeerStream of(Stream stream) {
    return new PeerStream(stream, stream.blocking());
  }

  /// Ends this side and drops what still comes.
  @Override
  public void close() {
    var _ = stream.close();
  }
}
