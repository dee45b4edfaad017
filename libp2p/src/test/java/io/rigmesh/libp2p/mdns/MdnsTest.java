package io.rigmesh.libp2p.mdns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.multiformats.AddressScope;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Two hosts on this machine's real network interfaces.
class MdnsTest {
  // A service of this test's own, so that peers outside are neither found nor disturbed.
  private static final MdnsSettings SETTINGS =
      MdnsSettings.defaults()
          .withServiceName("_p2p-" + Long.toHexString(System.nanoTime()) + "._udp.local")
          .withScopes(Set.of(AddressScope.LOOPBACK));

  @Test
  void twoHostsOnOneNetworkFindEachOtherAndConnect() throws InterruptedException {
    BlockingQueue<PeerAddress> byAlice = new LinkedBlockingQueue<>();
    BlockingQueue<PeerAddress> byBob = new LinkedBlockingQueue<>();
    try (Host alice = HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start();
        Host bob = HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").start();
        Mdns first = started(alice, byAlice);
        Mdns second = started(bob, byBob)) {
      assertThat(byAlice.poll(60, TimeUnit.SECONDS))
          .isEqualTo(new PeerAddress(bob.id(), bob.addresses()));
      assertThat(byBob.poll(60, TimeUnit.SECONDS))
          .isEqualTo(new PeerAddress(alice.id(), alice.addresses()));
      assertThat(first).isNotSameAs(second);
      // The peer store knows the address already.
      assertThat(alice.ping().ping(bob.id()).orTimeout(60, TimeUnit.SECONDS).join()).isPositive();
    }
  }

  private static Mdns started(Host host, BlockingQueue<PeerAddress> found) {
    try {
      return Mdns.start(host, SETTINGS, found::add);
    } catch (Libp2pException e) {
      return abort("mDNS is not tested here: " + e.getMessage());
    }
  }
}
