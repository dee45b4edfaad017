package io.rigmesh.libp2p.multiformats;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;

/// From how far away an address can be meant. Decides what is told to whom: an address is of use
/// only to peers that are at least as near as it reaches.
public enum AddressScope {
  /// This machine: `127.0.0.0/8`, `::1`, `/memory`, `/unix`, `localhost`.
  LOOPBACK,
  /// One local network: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `fc00::/7`, link-local
  /// addresses and names under `.local`.
  PRIVATE,
  /// The internet, and names. A carrier's shared `100.64.0.0/10` is not.
  PUBLIC,
  /// No host: unspecified, multicast and reserved addresses, and what has no address part at all.
  NONE;

  private static final List<IpNetwork> PRIVATE_NETWORKS =
      networks(
          "10.0.0.0/8",
          "172.16.0.0/12",
          "192.168.0.0/16",
          "169.254.0.0/16",
          "100.64.0.0/10",
          "fc00::/7",
          "fe80::/10");
  private static final List<IpNetwork> LOOPBACK_NETWORKS = networks("127.0.0.0/8", "::1/128");
  private static final List<IpNetwork> NO_HOST =
      networks("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "ff00::/8");

  private static List<IpNetwork> networks(String... texts) {
    return java.util.Arrays.stream(texts).map(IpNetwork::of).toList();
  }

  public static AddressScope of(InetAddress address) {
    byte[] bytes = IpNetwork.plain(address).getAddress();
    if (in(LOOPBACK_NETWORKS, bytes)) {
      return LOOPBACK;
    }
    if (in(PRIVATE_NETWORKS, bytes)) {
      return PRIVATE;
    }
    return in(NO_HOST, bytes) ? NONE : PUBLIC;
  }

  private static boolean in(List<IpNetwork> networks, byte[] address) {
    for (IpNetwork network : networks) {
      if (network.contains(address)) {
        return true;
      }
    }
    return false;
  }

  /// The scope of an address's first part; that of a relayed address is its relay's.
  public static AddressScope of(Multiaddr address) {
    if (address.isEmpty()) {
      return NONE;
    }
    AddressPart first = address.parts().getFirst();
    return switch (first.protocol()) {
      case IP4, IP6 -> of(first.address());
      case IP6ZONE -> PRIVATE;
      case MEMORY, UNIX -> LOOPBACK;
      case DNS, DNS4, DNS6, DNSADDR -> ofName(first.text().toLowerCase(Locale.ROOT));
      default -> NONE;
    };
  }

  private static AddressScope ofName(String name) {
    if (name.equals("localhost") || name.endsWith(".localhost")) {
      return LOOPBACK;
    }
    return name.endsWith(".local") ? PRIVATE : PUBLIC;
  }

  /// Whether an address of this scope is of any use to a peer that is seen at an address of that
  /// scope. Peers on the internet are not told of private addresses, nor are theirs believed.
  public boolean usableFrom(AddressScope remote) {
    return switch (this) {
      case PUBLIC -> true;
      case PRIVATE -> remote == PRIVATE || remote == LOOPBACK;
      case LOOPBACK -> remote == LOOPBACK;
      case NONE -> false;
    };
  }
}
