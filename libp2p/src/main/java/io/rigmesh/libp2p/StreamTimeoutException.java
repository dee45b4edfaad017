package io.rigmesh.libp2p;

/// The remote did not answer, or did not take what was written, in time. What it has processed is
/// unknown.
public final class StreamTimeoutException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  public StreamTimeoutException(String message) {
    super(message);
  }
}
