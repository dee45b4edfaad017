package io.rigmesh.node.workers;

/// A device has no worker that serves, for now.
public final class WorkersException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Which device and why.
  public WorkersException(String message) {
    super(message);
  }
}
