package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.autonat.AutoNat;
import java.util.List;
import java.util.function.Supplier;

/// Keeps reservations with relays while AutoNAT says that this host cannot be dialled. Thread-safe.
public final class AutoRelay implements AutoCloseable {
  private AutoRelay() {}

  /// Starts to watch AutoNAT.
  ///
  /// @param candidates peers that may be relays, besides the connected ones that serve [Relay#HOP]
  /// @param reservations how many to hold, 1 or 2 as a rule
  @SuppressWarnings("DoNotCallSuggester") // Until it is built.
  public static AutoRelay start(
      Host host,
      RelayTransport transport,
      AutoNat autoNat,
      Supplier<List<PeerAddress>> candidates,
      int reservations) {
    throw new UnsupportedOperationException("Comes within the hour");
  }

  /// Gives the reservations back.
  @Override
  public void close() {}
}
