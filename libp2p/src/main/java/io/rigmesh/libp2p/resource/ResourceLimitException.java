package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Libp2pException;

/// A limit is reached; the message names the scope, the resource, the limit and what is in use.
public final class ResourceLimitException extends Libp2pException {
  private static final long serialVersionUID = 1L;

  public ResourceLimitException(String message) {
    super(message);
  }
}
