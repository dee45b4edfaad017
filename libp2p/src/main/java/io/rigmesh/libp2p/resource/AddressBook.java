package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.IpNetwork;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Counts connections by the IP address or relay they come through, and how fast they come. Guarded
/// by the ledger's lock.
final class AddressBook {
  /// How many addresses are remembered. Beyond it the one that has been quiet longest is forgotten,
  /// and with it that it has used up its burst; the system's own limits hold all the same.
  static final int ADDRESSES_MAX = 4096;

  /// One address or relay.
  ///
  /// @param key as it stands in refusals
  record Source(String key, int connectionsMax, boolean paced) {}

  private static final class Slot {
    int connections;
    double tokens;
    Instant at;

    Slot(double tokens, Instant at) {
      this.tokens = tokens;
      this.at = at;
    }
  }

  private final AddressLimits limits;
  private final Map<String, Slot> slots = new LinkedHashMap<>(16, 0.75f, true);

  AddressBook(AddressLimits limits) {
    this.limits = limits;
  }

  /// What a connection is counted under; null when it is not limited by address.
  @Nullable Source source(Direction direction, Multiaddr address) {
    if (address.has(AddressProtocol.P2P_CIRCUIT)) {
      String relay =
          address.first(AddressProtocol.P2P).map(AddressPart::text).orElse(address.toString());
      return new Source("relay " + relay, limits.relayedMax(), false);
    }
    if (address.isEmpty()) {
      return null;
    }
    AddressPart first = address.parts().getFirst();
    if (first.protocol() != AddressProtocol.IP4 && first.protocol() != AddressProtocol.IP6) {
      return null;
    }
    InetAddress ip = first.address();
    if (limits.exempt().stream().anyMatch(network -> network.contains(ip))) {
      return null;
    }
    return new Source(
        "address " + IpNetwork.around(ip, 32, limits.ip6Bits()),
        limits.connectionsMax(),
        direction == Direction.INBOUND);
  }

  /// Why the source may not have one more connection now, or null when it may.
  @Nullable String refusal(Source source, Instant now) {
    Slot slot = slots.get(source.key());
    int connections = slot == null ? 0 : slot.connections;
    if (connections >= source.connectionsMax()) {
      return "The scope '"
          + source.key()
          + "' holds "
          + connections
          + " of at most "
          + source.connectionsMax()
          + " connections; 1 more are refused";
    }
    if (source.paced() && (slot == null ? limits.newBurst() : tokens(slot, now)) < 1) {
      return "The scope '"
          + source.key()
          + "' has used its burst of "
          + limits.newBurst()
          + " new connections; further ones are let in at "
          + limits.newPerSecond()
          + " per second";
    }
    return null;
  }

  void add(Source source, Instant now) {
    Slot slot = slots.computeIfAbsent(source.key(), key -> new Slot(limits.newBurst(), now));
    slot.tokens = tokens(slot, now) - (source.paced() ? 1 : 0);
    slot.at = now;
    slot.connections++;
    if (slots.size() > ADDRESSES_MAX) {
      forgetQuietest();
    }
  }

  void subtract(Source source, Instant now) {
    Slot slot = slots.get(source.key());
    if (slot == null) {
      throw new IllegalStateException("No connection is counted for " + source.key());
    }
    slot.connections--;
    if (slot.connections == 0 && tokens(slot, now) >= limits.newBurst()) {
      slots.remove(source.key());
    }
  }

  int connections() {
    return slots.values().stream().mapToInt(slot -> slot.connections).sum();
  }

  int size() {
    return slots.size();
  }

  private double tokens(Slot slot, Instant now) {
    // A clock that steps back earns nothing.
    double seconds = Math.max(0, Duration.between(slot.at, now).toNanos() / 1e9);
    return Math.min(limits.newBurst(), slot.tokens + seconds * limits.newPerSecond());
  }

  private void forgetQuietest() {
    Iterator<Slot> oldestFirst = slots.values().iterator();
    while (oldestFirst.hasNext()) {
      if (oldestFirst.next().connections == 0) {
        oldestFirst.remove();
        return;
      }
    }
  }
}
