package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// From how far away an address can be reached, judged by its first part, widest first. Peers are
/// told, and believed, only addresses that reach as far as the connection that the talk runs over:
/// others would be useless, or make us knock at doors inside our own network.
enum AddressScope {
  PUBLIC,
  PRIVATE,
  LOOPBACK;

  private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1};
  private static final byte[] LOOPBACK6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

  static AddressScope of(Multiaddr address) {
    if (address.isEmpty()) {
      return LOOPBACK;
    }
    AddressPart first = address.parts().getFirst();
    return switch (first.protocol()) {
      case IP4 -> ofIp4(first.bytes(), 0);
      case IP6 -> ofIp6(first.bytes());
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
    List<Multiaddr> usable = new ArrayList<>(peer.addresses().size());
    for (Multiaddr address : peer.addresses()) {
      if (usable.size() < KadMessage.ADDRESSES_MAX && admits(address)) {
        usable.add(address);
      }
    }
    return usable.size() == peer.addresses().size() ? peer : new PeerAddress(peer.peer(), usable);
  }

  /// IANA's registry of special-purpose IPv4 addresses.
  private static AddressScope ofIp4(byte[] ip, int at) {
    int a = ip[at] & 0xff;
    int b = ip[at + 1] & 0xff;
    int c = ip[at + 2] & 0xff;
    if (a == 127) {
      return LOOPBACK;
    }
    boolean reserved =
        a == 0
            || a == 10
            || a >= 224
            || (a == 100 && b >= 64 && b < 128)
            || (a == 169 && b == 254)
            || (a == 172 && b >= 16 && b < 32)
            || (a == 192 && b == 168)
            || (a == 192 && b == 0 && (c == 0 || c == 2))
            || (a == 198 && (b == 18 || b == 19))
            || (a == 198 && b == 51 && c == 100)
            || (a == 203 && b == 0 && c == 113);
    return reserved ? PRIVATE : PUBLIC;
  }

  /// Of IPv6 only the global unicast addresses, 2000::/3, without those for documentation; and IPv4
  /// addresses that are mapped into it.
  private static AddressScope ofIp6(byte[] ip) {
    if (Arrays.equals(ip, 0, 12, MAPPED, 0, 12)) {
      return ofIp4(ip, 12);
    }
    if (Arrays.equals(ip, LOOPBACK6)) {
      return LOOPBACK;
    }
    int first = ((ip[0] & 0xff) << 8) | (ip[1] & 0xff);
    int second = ((ip[2] & 0xff) << 8) | (ip[3] & 0xff);
    return (first & 0xe000) == 0x2000 && !(first == 0x2001 && second == 0x0db8) ? PUBLIC : PRIVATE;
  }

  private static AddressScope ofName(String name) {
    if (name.equals("localhost") || name.endsWith(".localhost")) {
      return LOOPBACK;
    }
    return name.endsWith(".local") || name.indexOf('.') < 0 ? PRIVATE : PUBLIC;
  }
}
