package io.rigmesh.node.network;

/// The node cannot get into the network: this machine's fault, such as a port that is taken.
public final class NetworkException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What failed and what would help.
  public NetworkException(String message, Throwable cause) {
    super(message, cause);
  }
}
