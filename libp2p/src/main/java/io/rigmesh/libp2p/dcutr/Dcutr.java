package io.rigmesh.libp2p.dcutr;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.ProtocolId;

/// Replaces relayed connections by direct ones: both sides dial at the same moment, so that each
/// side's router lets the other in (specification DCUtR). Thread-safe.
public final class Dcutr implements AutoCloseable {
  public static final ProtocolId PROTOCOL = new ProtocolId("/libp2p/dcutr");

  private Dcutr() {}

  /// Starts to upgrade relayed connections.
  @SuppressWarnings("DoNotCallSuggester") // Until it is built.
  public static Dcutr start(Host host, DcutrSettings settings) {
    throw new UnsupportedOperationException("Comes within the hour");
  }

  @Override
  public void close() {}
}
