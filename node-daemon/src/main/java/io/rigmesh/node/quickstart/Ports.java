package io.rigmesh.node.quickstart;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/// The three loopback ports of the quickstart.
///
/// @param provider REST of the provider
/// @param requester REST of the requester
/// @param chain JSON-RPC of the development chain
record Ports(int provider, int requester, int chain) {
  /// The ports from `first` on, after a look whether they are free.
  ///
  /// @throws QuickstartException if one is in use
  static Ports from(int first) {
    for (int port = first; port < first + 3; port++) {
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        socket.setReuseAddress(true);
      } catch (IOException e) {
        throw new QuickstartException(
            "the port "
                + port
                + " is in use by another program; stop that one, or choose three"
                + " free ports in a row with --port N",
            e);
      }
    }
    return new Ports(first, first + 1, first + 2);
  }
}
