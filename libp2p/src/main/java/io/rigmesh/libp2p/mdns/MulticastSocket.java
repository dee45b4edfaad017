package io.rigmesh.libp2p.mdns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The multicast DNS group of one IP version on every interface that takes multicast. Several
/// programs on one machine share the port.
final class MulticastSocket implements AutoCloseable {
  static final int PORT = 5353;
  private static final Logger LOG = LoggerFactory.getLogger(MulticastSocket.class);

  private final DatagramChannel channel;
  private final InetSocketAddress group;
  private final List<NetworkInterface> interfaces;

  private MulticastSocket(
      DatagramChannel channel, InetSocketAddress group, List<NetworkInterface> interfaces) {
    this.channel = channel;
    this.group = group;
    this.interfaces = interfaces;
  }

  static MulticastSocket ip4() throws IOException {
    return open(StandardProtocolFamily.INET, new byte[] {(byte) 224, 0, 0, (byte) 251});
  }

  static MulticastSocket ip6() throws IOException {
    byte[] address = new byte[16];
    address[0] = (byte) 0xff;
    address[1] = 2;
    address[15] = (byte) 0xfb;
    return open(StandardProtocolFamily.INET6, address);
  }

  private static MulticastSocket open(StandardProtocolFamily family, byte[] address)
      throws IOException {
    InetAddress group = InetAddress.getByAddress(address);
    DatagramChannel channel = DatagramChannel.open(family);
    try {
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      if (channel.supportedOptions().contains(StandardSocketOptions.SO_REUSEPORT)) {
        channel.setOption(StandardSocketOptions.SO_REUSEPORT, true);
      }
      channel.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, true);
      // RFC 6762, section 11: what has crossed a router is not from this network.
      channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 255);
      channel.bind(new InetSocketAddress(PORT));
      List<NetworkInterface> joined = new ArrayList<>();
      for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        if (one.isUp()
            && one.supportsMulticast()
            && !one.isLoopback()
            && join(channel, group, one)) {
          joined.add(one);
        }
      }
      if (joined.isEmpty()) {
        throw new IOException("no network interface takes part in " + group.getHostAddress());
      }
      return new MulticastSocket(channel, new InetSocketAddress(group, PORT), joined);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean join(DatagramChannel channel, InetAddress group, NetworkInterface one) {
    try {
      channel.join(group, one);
      return true;
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("{} takes no part in {}: {}", one.getName(), group, e.toString());
      return false;
    }
  }

  /// Sends on every interface; one that has gone is passed over.
  synchronized void send(byte[] message) {
    for (NetworkInterface one : interfaces) {
      try {
        channel.setOption(StandardSocketOptions.IP_MULTICAST_IF, one);
        channel.send(ByteBuffer.wrap(message), group);
      } catch (IOException e) {
        LOG.debug("Nothing is sent on {}: {}", one.getName(), e.toString());
      }
    }
  }

  /// Waits for the next packet.
  ///
  /// @throws java.nio.channels.ClosedChannelException after [#close]
  byte[] receive() throws IOException {
    // One byte more than is read shows that a packet is too long.
    ByteBuffer packet = ByteBuffer.allocate(DnsMessage.BYTES_MAX + 1);
    channel.receive(packet);
    byte[] bytes = new byte[packet.flip().remaining()];
    packet.get(bytes);
    return bytes;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("A multicast socket did not close: {}", e.toString());
    }
  }
}
