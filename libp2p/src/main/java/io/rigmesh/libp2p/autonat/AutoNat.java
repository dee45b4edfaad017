package io.rigmesh.libp2p.autonat;

import io.rigmesh.libp2p.Host;
import java.util.List;

/// Finds out which addresses of this host others can dial, by asking connected peers to dial them,
/// and dials back for others (specification AutoNAT v2). Thread-safe.
public final class AutoNat implements AutoCloseable {
  private AutoNat() {}

  /// Starts to ask, and to answer if the settings say so. Confirmed addresses are announced.
  @SuppressWarnings("DoNotCallSuggester") // Until it is built.
  public static AutoNat start(Host host, AutoNatSettings settings) {
    throw new UnsupportedOperationException("Comes within the hour");
  }

  public Reachability reachability() {
    return Reachability.UNKNOWN;
  }

  /// Every address that was asked about.
  public List<AddressVerdict> verdicts() {
    return List.of();
  }

  public void addListener(ReachabilityListener listener) {}

  public void removeListener(ReachabilityListener listener) {}

  /// Asks now instead of at the next turn.
  public void probe() {}

  @Override
  public void close() {}
}
