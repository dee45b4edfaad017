package io.rigmesh.libp2p.transport;

import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/// Multiaddrs of IP sockets, to and from the JDK's addresses.
public final class IpAddresses {
  private IpAddresses() {}

  /// Whether it is exactly `/ip4|ip6/../tcp/..`.
  public static boolean isTcp(Multiaddr address) {
    return isIpThen(address, AddressProtocol.TCP) && address.parts().size() == 2;
  }

  /// Whether it is exactly `/ip4|ip6/../udp/../quic-v1`.
  public static boolean isQuic(Multiaddr address) {
    return isIpThen(address, AddressProtocol.UDP)
        && address.parts().size() == 3
        && address.parts().get(2).protocol() == AddressProtocol.QUIC_V1;
  }

  private static boolean isIpThen(Multiaddr address, AddressProtocol second) {
    List<AddressPart> parts = address.parts();
    return parts.size() >= 2
        && (parts.get(0).protocol() == AddressProtocol.IP4
            || parts.get(0).protocol() == AddressProtocol.IP6)
        && parts.get(1).protocol() == second;
  }

  /// The IP address and port of an address that starts with both.
  public static InetSocketAddress socketAddress(Multiaddr address) {
    return new InetSocketAddress(address.parts().get(0).address(), address.parts().get(1).number());
  }

  public static Multiaddr ip(InetAddress address) {
    return switch (address) {
      case Inet4Address four ->
          Multiaddr.of(AddressPart.of(AddressProtocol.IP4, four.getAddress()));
      case Inet6Address six -> Multiaddr.of(AddressPart.of(AddressProtocol.IP6, six.getAddress()));
      default -> throw new IllegalArgumentException("Neither IPv4 nor IPv6: " + address);
    };
  }

  public static Multiaddr tcp(InetSocketAddress address) {
    return ip(address.getAddress()).then("/tcp/" + address.getPort());
  }

  public static Multiaddr quic(InetSocketAddress address) {
    return ip(address.getAddress()).then("/udp/" + address.getPort() + "/quic-v1");
  }
}
