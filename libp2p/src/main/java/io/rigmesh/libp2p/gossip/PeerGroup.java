package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// What a connection's IP address counts as for colocation (gossipsub 1.1, P6).
final class PeerGroup {
  private PeerGroup() {}

  /// The IPv4 address or the /64 of an IPv6 address, which one customer usually has whole; empty
  /// for loopback, where many peers of one machine are no attack.
  static Optional<String> of(Connection connection) {
    return connection
        .remoteAddress()
        .first(AddressProtocol.IP4)
        .or(() -> connection.remoteAddress().first(AddressProtocol.IP6))
        .flatMap(PeerGroup::of);
  }

  private static Optional<String> of(AddressPart part) {
    InetAddress address = part.address();
    if (address.isLoopbackAddress()) {
      return Optional.empty();
    }
    byte[] bytes = part.bytes();
    return Optional.of(
        HexFormat.of().formatHex(bytes.length == 16 ? Arrays.copyOf(bytes, 8) : bytes));
  }
}
