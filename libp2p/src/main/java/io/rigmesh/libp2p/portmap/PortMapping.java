package io.rigmesh.libp2p.portmap;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;

/// Asks the home router by UPnP to pass the listening ports on to this host. Thread-safe.
public final class PortMapping implements AutoCloseable {
  private PortMapping() {}

  /// Starts to look for a router; the mapped addresses are announced when there is one.
  @SuppressWarnings("DoNotCallSuggester") // Until it is built.
  public static PortMapping start(Host host) {
    throw new UnsupportedOperationException("Comes within the hour");
  }

  /// What the router maps now, seen from outside.
  public List<Multiaddr> addresses() {
    return List.of();
  }

  /// Removes the mappings.
  @Override
  public void close() {}
}
