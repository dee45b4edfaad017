package io.rigmesh.libp2p.interop;

/// A command that a peer answered with an error.
public final class PeerProcessException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  PeerProcessException(String message) {
    super(message);
  }
}
