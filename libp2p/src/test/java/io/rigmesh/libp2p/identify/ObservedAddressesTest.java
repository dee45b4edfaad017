package io.rigmesh.libp2p.identify;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObservedAddressesTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_000_000);
  private static final List<Multiaddr> LISTENING =
      List.of(Multiaddr.of("/ip4/0.0.0.0/tcp/4001"), Multiaddr.of("/ip4/0.0.0.0/udp/4002/quic-v1"));
  private static final Multiaddr HOME = Multiaddr.of("/ip4/192.168.1.5/tcp/4001");
  private static final Multiaddr OUTSIDE = Multiaddr.of("/ip4/5.5.5.5/tcp/31000");

  private final ObservedAddresses observed = new ObservedAddresses(4, false);

  private static PeerId peer(int number) {
    return PeerId.of(
        Ed25519PrivateKey.ofSeed(ByteBuffer.allocate(32).putInt(number).array()).publicKey());
  }

  /// Observers with different numbers stand in different networks.
  private void seen(ObservedAddresses by, int observer, Multiaddr local, Multiaddr seen) {
    by.seen(
        observer,
        new ObservedAddresses.Sighting(
            peer(observer), local, Multiaddr.of("/ip4/9.9." + observer + ".1/tcp/1"), seen),
        LISTENING);
  }

  @Test
  void anAddressThatFourNetworksSeeIsAnnounced() {
    for (int observer = 1; observer <= 3; observer++) {
      seen(observed, observer, HOME, OUTSIDE);
    }
    assertThat(observed.announced(NOW)).isEmpty();
    assertThat(observed.candidates(NOW)).containsExactly(OUTSIDE);
    seen(observed, 4, HOME, OUTSIDE);
    assertThat(observed.announced(NOW)).containsExactly(OUTSIDE);
  }

  @Test
  void manyObserversInOneNetworkAreOne() {
    for (int i = 1; i <= 50; i++) {
      observed.seen(
          i,
          new ObservedAddresses.Sighting(
              peer(i), HOME, Multiaddr.of("/ip4/9.9.9." + i + "/tcp/1"), OUTSIDE),
          LISTENING);
    }
    assertThat(observed.announced(NOW)).isEmpty();
  }

  @Test
  void aConnectionFromAnotherPortTellsOnlyTheIpAddressAndIsNeverAnnounced() {
    Multiaddr ephemeral = Multiaddr.of("/ip4/192.168.1.5/tcp/55555");
    for (int observer = 1; observer <= 9; observer++) {
      seen(observed, observer, ephemeral, Multiaddr.of("/ip4/5.5.5.5/tcp/" + (40000 + observer)));
    }
    assertThat(observed.announced(NOW)).isEmpty();
    assertThat(observed.candidates(NOW)).containsExactly(Multiaddr.of("/ip4/5.5.5.5/tcp/4001"));
  }

  @Test
  void whatIsSeenOverQuicNamesTheQuicListener() {
    for (int observer = 1; observer <= 4; observer++) {
      seen(
          observed,
          observer,
          Multiaddr.of("/ip4/192.168.1.5/udp/4002/quic-v1"),
          Multiaddr.of("/ip4/5.5.5.5/udp/777/quic-v1"));
    }
    assertThat(observed.announced(NOW))
        .containsExactly(Multiaddr.of("/ip4/5.5.5.5/udp/777/quic-v1"));
  }

  @Test
  void anObservationOutlivesItsConnectionForAWhile() {
    for (int observer = 1; observer <= 4; observer++) {
      seen(observed, observer, HOME, OUTSIDE);
    }
    assertThat(observed.announced(NOW.plus(Duration.ofDays(9)))).hasSize(1);
    observed.ended(1, NOW);
    assertThat(observed.announced(NOW.plus(Duration.ofMinutes(29)))).hasSize(1);
    assertThat(observed.announced(NOW.plus(Duration.ofMinutes(30)))).isEmpty();
  }

  @Test
  void aLaterSightingOnAConnectionReplacesTheFormer() {
    for (int observer = 1; observer <= 4; observer++) {
      seen(observed, observer, HOME, OUTSIDE);
    }
    seen(observed, 1, HOME, Multiaddr.of("/ip4/6.6.6.6/tcp/1"));
    assertThat(observed.announced(NOW)).isEmpty();
  }

  @Test
  void privateLoopbackRelayedAndOddAddressesAreNotBelieved() {
    for (String text :
        List.of(
            "/ip4/10.0.0.1/tcp/4001",
            "/ip4/127.0.0.1/tcp/4001",
            "/ip4/0.0.0.0/tcp/4001",
            "/ip4/5.5.5.5/tcp/0",
            "/dns4/evil.example/tcp/4001",
            "/ip4/5.5.5.5",
            "/ip4/5.5.5.5/tcp/1/p2p/" + peer(3) + "/p2p-circuit")) {
      for (int observer = 1; observer <= 5; observer++) {
        seen(observed, observer, HOME, Multiaddr.of(text));
      }
      assertThat(observed.candidates(NOW)).as(text).isEmpty();
    }
  }

  @Test
  void anObserverOnThisNetworkCannotKnowHowTheInternetSeesUs() {
    observed.seen(
        1,
        new ObservedAddresses.Sighting(
            peer(1), HOME, Multiaddr.of("/ip4/192.168.1.9/tcp/1"), OUTSIDE),
        LISTENING);
    assertThat(observed.candidates(NOW)).isEmpty();
  }

  @Test
  void wherePrivateNetworksStandInForTheInternetTheyAreBelieved() {
    ObservedAddresses inTest = new ObservedAddresses(1, true);
    Multiaddr seen = Multiaddr.of("/ip4/10.1.0.2/tcp/31000");
    inTest.seen(
        1,
        new ObservedAddresses.Sighting(peer(1), HOME, Multiaddr.of("/ip4/10.2.0.2/tcp/1"), seen),
        LISTENING);
    assertThat(inTest.announced(NOW)).containsExactly(seen);
  }

  @Test
  void liarsCannotMakeTheListsLong() {
    for (int observer = 1; observer <= 200; observer++) {
      for (int round = 0; round < 20; round++) {
        seen(
            observed,
            observer,
            HOME,
            Multiaddr.of("/ip4/5.5.5.5/tcp/" + (1000 * round + observer)));
        observed.ended(observer, NOW);
      }
    }
    assertThat(observed.candidates(NOW)).hasSize(ObservedAddresses.CANDIDATES_MAX);
    ObservedAddresses gullible = new ObservedAddresses(1, false);
    for (int observer = 1; observer <= 200; observer++) {
      seen(gullible, observer, HOME, Multiaddr.of("/ip4/5.5.5.5/tcp/" + (1000 + observer)));
    }
    assertThat(gullible.announced(NOW)).hasSize(ObservedAddresses.ANNOUNCED_PER_KIND_MAX);
  }
}
