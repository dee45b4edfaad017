package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;

/// From how far away an address can be reached, judged by its first part, widest first. Peers are
/// told, and believed, only addresses that reach as far as the connection that the talk runs over:
/// others would be useless, or make us knock at doors inside our own network.
enum AddressScope {
  PUBLIC,
  PRIVATE,
  LOOPBACK;

  static AddressScope of(Multiaddr address) {
    if (address.isEmpty()) {
      return LOOPBACK;
    }
    AddressPart first = address.parts().getFirst();
    return switch (first.protocol()) {
      case IP4, IP6 -> of(first.address());
      case DNS, DNS4, DNS6, DNSADDR -> ofName(first.text().toLowerCase(Locale.ROOT));
      default -> LOOPBACK;
    };
  }

  /// Whether a peer whose connection has this scope can use the address.
  boolean admits(Multiaddr address) {
    return of(address).compareTo(this) <= 0;
  }

  /// The peer with those of its addresses that can be used, at most [KadMessage#ADDRESSES_MAX].
  PeerAddress filter(PeerAddress peer) {
    List<Multiaddr> usable = peer.addresses();
    if (usable.size() > KadMessage.ADDRESSES_MAX || !usable.stream().allMatch(this::admits)) {
      usable = usable.stream().filter(this::admits).limit(KadMessage.ADDRESSES_MAX).toList();
    }
    return new PeerAddress(peer.peer(), usable);
  }

  private static AddressScope of(InetAddress address) {
    if (address.isLoopbackAddress()) {
      return LOOPBACK;
    }
    boolean local =
        address.isAnyLocalAddress()
            || address.isLinkLocalAddress()
            || address.isSiteLocalAddress()
            || address.isMulticastAddress()
            || (address instanceof Inet4Address ? reserved4(address) : reserved6(address));
    return local ? PRIVATE : PUBLIC;
  }

  /// What IANA's registry of special-purpose IPv4 addresses holds besides those Java knows.
  private static boolean reserved4(InetAddress address) {
    byte[] bytes = address.getAddress();
    int a = bytes[0] & 0xff;
    int b = bytes[1] & 0xff;
    int c = bytes[2] & 0xff;
    return a == 0
        || a >= 240
        || (a == 100 && b >= 64 && b < 128)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113);
  }

  /// Unique local, documentation and discard-only addresses.
  private static boolean reserved6(InetAddress address) {
    byte[] bytes = address.getAddress();
    int first = ((bytes[0] & 0xff) << 8) | (bytes[1] & 0xff);
    int second = ((bytes[2] & 0xff) << 8) | (bytes[3] & 0xff);
    return (first & 0xfe00) == 0xfc00 || (first == 0x2001 && second == 0x0db8) || first == 0x0100;
  }

  private static AddressScope ofName(String name) {
    if (name.equals("localhost") || name.endsWith(".localhost")) {
      return LOOPBACK;
    }
    return name.endsWith(".local") || name.indexOf('.') < 0 ? PRIVATE : PUBLIC;
  }
}
