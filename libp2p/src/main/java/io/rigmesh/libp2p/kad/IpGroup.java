package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.multiformats.AddressPart;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.nio.ByteBuffer;
import java.util.Optional;

/// Public addresses that one owner is likely to hold together: an IPv4 /16 or an IPv6 /32. Whoever
/// makes many peer ids has few of these, so that counting peers by them bounds what he can take.
///
/// @param ip6 whether it is a group of IPv6 addresses
/// @param prefix the leading 16 or 32 bits
record IpGroup(boolean ip6, int prefix) {
  /// The group of an address that begins with a public IP address; empty for any other.
  static Optional<IpGroup> of(Multiaddr address) {
    if (address.isEmpty() || AddressScope.of(address) != AddressScope.PUBLIC) {
      return Optional.empty();
    }
    AddressPart first = address.parts().getFirst();
    if (first.protocol() != AddressProtocol.IP4 && first.protocol() != AddressProtocol.IP6) {
      return Optional.empty();
    }
    // Java reads an IPv4 address that is mapped into IPv6 as what it is.
    byte[] ip = first.address().getAddress();
    ByteBuffer bytes = ByteBuffer.wrap(ip);
    boolean ip6 = ip.length == 16;
    return Optional.of(new IpGroup(ip6, ip6 ? bytes.getInt() : bytes.getShort() & 0xffff));
  }
}
