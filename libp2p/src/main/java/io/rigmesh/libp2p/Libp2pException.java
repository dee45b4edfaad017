package io.rigmesh.libp2p;

/// A failure of this module. Subclasses tell the remote's misbehaviour
/// ([PeerMisbehaviourException]) from what could not be reached or was refused ([Libp2pException]
/// itself and its other subclasses).
public class Libp2pException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public Libp2pException(String message) {
    super(message);
  }

  public Libp2pException(String message, Throwable cause) {
    super(message, cause);
  }
}
