package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.ProtocolId;

/// Lets peers that nobody can dial be reached through this host (specification circuit relay v2,
/// "Hop Protocol"). Thread-safe.
public final class Relay implements AutoCloseable {
  /// What those who reserve and connect speak with a relay.
  public static final ProtocolId HOP = new ProtocolId("/libp2p/circuit/relay/0.2.0/hop");

  private Relay() {}

  /// Starts to relay.
  @SuppressWarnings("DoNotCallSuggester") // Until it is built.
  public static Relay start(Host host, RelayLimits limits) {
    throw new UnsupportedOperationException("Comes within the hour");
  }

  /// Stops relaying: reservations end and relayed connections are reset.
  @Override
  public void close() {}
}
