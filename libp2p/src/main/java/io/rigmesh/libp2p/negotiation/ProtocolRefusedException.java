package io.rigmesh.libp2p.negotiation;

import io.rigmesh.libp2p.Libp2pException;

/// The remote speaks none of the protocols that were proposed.
public final class ProtocolRefusedException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  public ProtocolRefusedException(String message) {
    super(message);
  }
}
