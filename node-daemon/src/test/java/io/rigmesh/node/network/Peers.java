package io.rigmesh.node.network;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Hosts on loopback for tests.
public final class Peers {
  /// So long that only what never comes is given up, on a machine that does ten things at once.
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private Peers() {}

  /// A host that listens on a free port.
  public static Host start() {
    return HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start();
  }

  /// Connects one host to another.
  public static void connect(Host from, Host to) throws Exception {
    from.connect(new PeerAddress(to.id(), to.listenAddresses()))
        .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /// Opens streams on a host, dialling first if need be.
  public static Streams streams(Host host) {
    return (peer, protocol) ->
        PeerStream.of(
            NetworkService.await(host.open(peer, protocol), PATIENCE, "a stream to " + peer));
  }

  /// Waits until something holds.
  public static void await(String what, BooleanSupplier holds) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("waited in vain until " + what);
      }
      Thread.sleep(10);
    }
  }
}
