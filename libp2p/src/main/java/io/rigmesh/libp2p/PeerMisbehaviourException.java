package io.rigmesh.libp2p;

/// The remote broke a rule of a protocol: the message names the protocol, the rule and what was
/// seen. The connection or stream it came on is closed by whoever catches this.
public final class PeerMisbehaviourException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  public PeerMisbehaviourException(String message) {
    super(message);
  }

  public PeerMisbehaviourException(String message, Throwable cause) {
    super(message, cause);
  }
}
