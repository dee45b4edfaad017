package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.Host;

/// Dials and listens through relays: `/ip4/../p2p/<relay>/p2p-circuit` (specification circuit relay
/// v2).
public final class RelayTransport {
  private RelayTransport() {}

  /// Adds the transport to the host; it is closed with the host.
  @SuppressWarnings("DoNotCallSuggester") // Until it is built.
  public static RelayTransport start(Host host) {
    throw new UnsupportedOperationException("Comes within the hour");
  }
}
