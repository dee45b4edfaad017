package io.rigmesh.libp2p.swarm;

import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.IpAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;

/// Puts the machine's own addresses in the place of wildcards.
final class InterfaceAddresses {
  private InterfaceAddresses() {}

  static List<Multiaddr> expanded(Multiaddr listening) {
    if (listening.isEmpty() || !isIp(listening) || !ip(listening).isAnyLocalAddress()) {
      return List.of(listening);
    }
    boolean four = listening.has(AddressProtocol.IP4);
    Multiaddr rest = listening.slice(1, listening.parts().size());
    List<Multiaddr> out = new ArrayList<>();
    try {
      for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
        if (!card.isUp()) {
          continue;
        }
        for (InetAddress address : card.inetAddresses().toList()) {
          if (address instanceof Inet4Address == four && !address.isLinkLocalAddress()) {
            out.add(IpAddresses.ip(address).then(rest));
          }
        }
      }
    } catch (SocketException unreadable) {
      // Without its interfaces a host is still reachable by what its peers observe.
      return List.of();
    }
    return out;
  }

  private static boolean isIp(Multiaddr address) {
    AddressProtocol first = address.parts().getFirst().protocol();
    return first == AddressProtocol.IP4 || first == AddressProtocol.IP6;
  }

  private static InetAddress ip(Multiaddr address) {
    return address.parts().getFirst().address();
  }
}
