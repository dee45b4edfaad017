package io.rigmesh.libp2p.autonat;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerdictsTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration REFRESH = Duration.ofMinutes(15);
  private static final Multiaddr ADDRESS = Multiaddr.of("/ip4/203.0.113.1/tcp/4001");
  private static final Multiaddr OTHER = Multiaddr.of("/ip4/203.0.113.1/udp/4001/quic-v1");

  private final Verdicts verdicts = new Verdicts();

  private static PeerId server() {
    return PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
  }

  private Reachability state(Multiaddr address) {
    return verdicts.of(address).orElseThrow().state();
  }

  @Test
  void believesSoManyServersAsAreNeeded() {
    verdicts.add(ADDRESS, server(), true, 2, NOW);
    assertThat(state(ADDRESS)).isEqualTo(Reachability.UNKNOWN);
    assertThat(verdicts.overall()).isEqualTo(Reachability.UNKNOWN);
    verdicts.add(ADDRESS, server(), true, 2, NOW);
    assertThat(state(ADDRESS)).isEqualTo(Reachability.PUBLIC);
    assertThat(verdicts.overall()).isEqualTo(Reachability.PUBLIC);
  }

  @Test
  void oneServerCannotSpeakForTwo() {
    PeerId server = server();
    verdicts.add(ADDRESS, server, false, 2, NOW);
    verdicts.add(ADDRESS, server, false, 2, NOW);
    assertThat(state(ADDRESS)).isEqualTo(Reachability.UNKNOWN);
  }

  @Test
  void theLastWordOfAServerCounts() {
    PeerId server = server();
    verdicts.add(ADDRESS, server, false, 1, NOW);
    assertThat(verdicts.overall()).isEqualTo(Reachability.PRIVATE);
    verdicts.add(ADDRESS, server, true, 1, NOW);
    assertThat(verdicts.overall()).isEqualTo(Reachability.PUBLIC);
    assertThat(verdicts.of(ADDRESS).orElseThrow().failures()).isZero();
  }

  @Test
  void oneReachableAddressMakesTheHostPublic() {
    verdicts.add(ADDRESS, server(), false, 1, NOW);
    verdicts.add(OTHER, server(), true, 1, NOW);
    assertThat(verdicts.overall()).isEqualTo(Reachability.PUBLIC);
    assertThat(verdicts.all()).hasSize(2);
  }

  @Test
  void asksAgainWhenNothingIsSettledOrTheTimeIsOver() {
    assertThat(verdicts.due(ADDRESS, REFRESH, NOW)).isTrue();
    verdicts.add(ADDRESS, server(), true, 2, NOW);
    assertThat(verdicts.due(ADDRESS, REFRESH, NOW)).isTrue();
    verdicts.add(ADDRESS, server(), true, 2, NOW);
    assertThat(verdicts.due(ADDRESS, REFRESH, NOW)).isFalse();
    assertThat(verdicts.due(ADDRESS, REFRESH, NOW.plus(REFRESH))).isTrue();
  }

  @Test
  void oldServersMakeRoomForNewOnes() {
    for (int i = 0; i < 5; i++) {
      verdicts.add(ADDRESS, server(), true, 2, NOW);
    }
    for (int i = 0; i < 3; i++) {
      verdicts.add(ADDRESS, server(), false, 2, NOW);
    }
    assertThat(state(ADDRESS)).isEqualTo(Reachability.PRIVATE);
  }

  @Test
  void forgetsAddressesThatAreNoLongerTheHosts() {
    verdicts.add(ADDRESS, server(), true, 1, NOW);
    verdicts.keepOnly(List.of(OTHER));
    assertThat(verdicts.overall()).isEqualTo(Reachability.UNKNOWN);
    assertThat(verdicts.all()).isEmpty();
  }

  @Test
  void aRateIsKeptInAllAndForEachPeer() {
    RateLimit rate = new RateLimit(5, 2);
    PeerId eager = server();
    assertThat(rate.take(eager, NOW)).isTrue();
    assertThat(rate.take(eager, NOW)).isTrue();
    assertThat(rate.take(eager, NOW)).isFalse();
    assertThat(rate.take(server(), NOW)).isTrue();
    assertThat(rate.take(server(), NOW)).isTrue();
    assertThat(rate.take(server(), NOW)).isTrue();
    assertThat(rate.take(server(), NOW)).isFalse();
    assertThat(rate.take(eager, NOW.plusSeconds(59))).isFalse();
    assertThat(rate.take(eager, NOW.plusSeconds(60))).isTrue();
  }
}
