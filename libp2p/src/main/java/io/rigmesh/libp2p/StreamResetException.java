package io.rigmesh.libp2p;

/// A stream ended abruptly, by either side's reset or with its connection. After it, what the
/// remote has processed is unknown.
public final class StreamResetException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  public StreamResetException(String message) {
    super(message);
  }
}
