package io.rigmesh.libp2p;

/// Serves one protocol: called once for each inbound stream, after its protocol is agreed.
@FunctionalInterface
public interface StreamHandler {
  /// Called on the stream's event loop, before anything is read: must not block. The channel's
  /// `autoRead` is off; either install Netty handlers and set it on, or hand the stream to
  /// [#blocking].
  void accept(Stream stream);

  /// What a protocol does when it is written for a thread of its own.
  @FunctionalInterface
  interface Blocking {
    /// Runs on a virtual thread. When it returns, the stream is closed; when it throws, reset.
    void serve(Stream stream, BlockingStream io) throws Exception;
  }

  /// Runs the handler on a new virtual thread per stream, with [BlockingStream] as its way to read
  /// and write.
  static StreamHandler blocking(Blocking handler) {
    return new BlockingStreamHandler(handler);
  }
}
