package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.multiformats.IpNetwork;
import java.util.List;

/// What one IP address may take: an IPv4 address or, as that is what one customer gets, an IPv6
/// block.
///
/// @param ip6Bits how many leading bits make an IPv6 block
/// @param connectionsMax at once, in both directions together
/// @param newPerSecond inbound connections let in over time, after a burst
/// @param newBurst inbound connections let in at once by an address that has been quiet
/// @param relayedMax connections at once that come in through one relay
/// @param exempt networks on which many peers may share an address
public record AddressLimits(
    int ip6Bits,
    int connectionsMax,
    double newPerSecond,
    int newBurst,
    int relayedMax,
    List<IpNetwork> exempt) {
  private static final AddressLimits DEFAULTS =
      new AddressLimits(
          56,
          8,
          0.2,
          16,
          32,
          List.of(
              IpNetwork.of("127.0.0.0/8"),
              IpNetwork.of("10.0.0.0/8"),
              IpNetwork.of("172.16.0.0/12"),
              IpNetwork.of("192.168.0.0/16"),
              IpNetwork.of("169.254.0.0/16"),
              IpNetwork.of("::1/128"),
              IpNetwork.of("fc00::/7"),
              IpNetwork.of("fe80::/10")));

  public AddressLimits {
    exempt = List.copyOf(exempt);
    if (ip6Bits < 1
        || ip6Bits > 128
        || connectionsMax < 0
        || newBurst < 0
        || relayedMax < 0
        || !(newPerSecond >= 0)) {
      throw new IllegalArgumentException(
          "Limits by address are not negative, and an IPv6 block has 1 to 128 bits");
    }
  }

  /// Loopback and private networks are not limited by address: tests, containers and a household
  /// share one. A relay may bring as many as a peer behind one needs.
  public static AddressLimits defaults() {
    return DEFAULTS;
  }

  public AddressLimits withExempt(List<IpNetwork> networks) {
    return new AddressLimits(ip6Bits, connectionsMax, newPerSecond, newBurst, relayedMax, networks);
  }
}
