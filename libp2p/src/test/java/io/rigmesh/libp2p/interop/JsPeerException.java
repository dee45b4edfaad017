package io.rigmesh.libp2p.interop;

/// A command that js-libp2p answered with an error.
public final class JsPeerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  JsPeerException(String message) {
    super(message);
  }
}
