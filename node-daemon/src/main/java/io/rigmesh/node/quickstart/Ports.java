package io.rigmesh.node.quickstart;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/// The five loopback ports of the quickstart.
///
/// @param provider REST of the first provider
/// @param requester REST of the requester
/// @param chain JSON-RPC of the development chain
/// @param another REST of the second provider
/// @param bootstrap libp2p of the first provider, by which the others find the network; they listen
///   on ports that nobody has to know
record Ports(int provider, int requester, int chain, int another, int bootstrap) {
  private static final int COUNT = 5;

  /// The ports from `first` on, after a look whether they are free.
  ///
  /// @throws QuickstartException if one is in use
  static Ports from(int first) {
    for (int port = first; port < first + COUNT; port++) {
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        socket.setReuseAddress(true);
      } catch (IOException e) {
        throw new QuickstartException(
            "the port "
                + port
                + " is in use by another program; stop that one, or choose five"
                + " free ports in a row with --port N",
            e);
      }
    }
    return new Ports(first, first + 1, first + 2, first + 3, first + 4);
  }
}
