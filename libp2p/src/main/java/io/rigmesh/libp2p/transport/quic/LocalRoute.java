package io.rigmesh.libp2p.transport.quic;

import io.netty.handler.codec.quic.QuicChannel;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which of this host's addresses packets to a remote leave from, when the socket is bound to all
/// of them.
final class LocalRoute {
  private static final Logger LOG = LoggerFactory.getLogger(LocalRoute.class);

  private LocalRoute() {}

  static InetSocketAddress address(QuicChannel connection) {
    InetSocketAddress local = (InetSocketAddress) connection.parent().localAddress();
    InetSocketAddress remote = (InetSocketAddress) connection.remoteSocketAddress();
    if (!local.getAddress().isAnyLocalAddress()) {
      return local;
    }
    StandardProtocolFamily family =
        remote.getAddress() instanceof Inet6Address
            ? StandardProtocolFamily.INET6
            : StandardProtocolFamily.INET;
    // Connecting a datagram socket sends nothing: it only looks up the route.
    try (DatagramChannel probe = DatagramChannel.open(family)) {
      probe.connect(remote);
      InetSocketAddress routed = (InetSocketAddress) probe.getLocalAddress();
      return new InetSocketAddress(routed.getAddress(), local.getPort());
    } catch (IOException e) {
      LOG.debug("No route to {}: {}", remote, e.getMessage());
      return local;
    }
  }
}
