package io.rigmesh.libp2p.swarm;

import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.IpAddresses;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.List;

/// The order in which a peer's addresses are dialled: near before far, direct before relayed, and
/// of one host TCP before QUIC (which costs more processor time here; docs/benchmarks.md).
final class AddressOrder {
  private AddressOrder() {}

  static List<Multiaddr> ordered(List<Multiaddr> addresses) {
    return addresses.stream()
        .distinct()
        .sorted(Comparator.comparingInt(AddressOrder::rank))
        .toList();
  }

  static boolean relayed(Multiaddr address) {
    return address.has(AddressProtocol.P2P_CIRCUIT);
  }

  private static int rank(Multiaddr address) {
    int rank = 0;
    if (relayed(address)) {
      rank += 100;
    }
    if (!IpAddresses.isTcp(address) && !IpAddresses.isQuic(address)) {
      return rank + 50;
    }
    InetAddress ip = IpAddresses.socketAddress(address).getAddress();
    if (!ip.isLoopbackAddress()) {
      rank += ip.isSiteLocalAddress() || ip.isLinkLocalAddress() ? 10 : 20;
    }
    return rank + (IpAddresses.isQuic(address) ? 1 : 0);
  }
}
