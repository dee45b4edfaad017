package io.rigmesh.libp2p.multiformats;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/// A block of IP addresses that share their first bits, such as `10.0.0.0/8`. Immutable; equal when
/// the block is. An IPv4 address in IPv6 clothing (`::ffff:1.2.3.4`) is an IPv4 address.
public final class IpNetwork {
  private final byte[] prefix;
  private final int bits;

  private IpNetwork(byte[] address, int bits) {
    if (bits < 0 || bits > address.length * 8) {
      throw new IllegalArgumentException(
          "A network's prefix has 0 to " + address.length * 8 + " bits, not " + bits);
    }
    this.prefix = address;
    this.bits = bits;
    for (int bit = bits; bit < address.length * 8; bit++) {
      prefix[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
    }
  }

  /// Reads `10.0.0.0/8` or `fc00::/7`.
  ///
  /// @throws IllegalArgumentException when it is neither
  public static IpNetwork of(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException("A network is written as address/bits: '" + text + "'");
    }
    String address = text.substring(0, slash);
    AddressProtocol protocol =
        address.indexOf(':') >= 0 ? AddressProtocol.IP6 : AddressProtocol.IP4;
    try {
      return new IpNetwork(
          AddressPart.of(protocol, address).bytes(), Integer.parseInt(text.substring(slash + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("A network is written as address/bits: '" + text + "'", e);
    }
  }

  /// The block that an address stands in, when blocks have so many bits.
  public static IpNetwork around(InetAddress address, int ip4Bits, int ip6Bits) {
    byte[] bytes = plain(address).getAddress();
    return new IpNetwork(bytes, bytes.length == 4 ? ip4Bits : ip6Bits);
  }

  public boolean contains(InetAddress address) {
    return contains(plain(address).getAddress());
  }

  /// Whether it contains the address of these bytes, which is not an IPv4 address in IPv6 clothing.
  boolean contains(byte[] bytes) {
    if (bytes.length != prefix.length) {
      return false;
    }
    int whole = bits / 8;
    for (int i = 0; i < whole; i++) {
      if (bytes[i] != prefix[i]) {
        return false;
      }
    }
    int rest = bits % 8;
    return rest == 0 || ((bytes[whole] ^ prefix[whole]) & 0xff) >> (8 - rest) == 0;
  }

  /// An IPv4 address that is mapped into IPv6 is the IPv4 address.
  static InetAddress plain(InetAddress address) {
    try {
      return InetAddress.getByAddress(address.getAddress());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("An address does not read back: " + address, e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IpNetwork that
        && bits == that.bits
        && Arrays.equals(prefix, that.prefix);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(prefix) + bits;
  }

  @Override
  public String toString() {
    try {
      return InetAddress.getByAddress(prefix).getHostAddress() + "/" + bits;
    } catch (UnknownHostException e) {
      throw new IllegalStateException("A prefix of " + prefix.length + " bytes", e);
    }
  }
}
