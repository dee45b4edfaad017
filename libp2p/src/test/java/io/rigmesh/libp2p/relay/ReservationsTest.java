package io.rigmesh.libp2p.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReservationsTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration HOUR = Duration.ofHours(1);

  private final Reservations reservations =
      new Reservations(new RelayLimits(4, 2, 3, HOUR, Duration.ofMinutes(2), 1024));

  private static PeerId peer() {
    return PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
  }

  @Test
  void reservesUntilTheTableIsFull() {
    for (int i = 0; i < 4; i++) {
      assertThat(reservations.reserve(peer(), "ip" + i, NOW)).contains(NOW.plus(HOUR));
    }
    assertThat(reservations.reserve(peer(), "ip5", NOW)).isEmpty();
    assertThat(reservations.count(NOW)).isEqualTo(4);
  }

  @Test
  void reservesSoManyForOneAddress() {
    PeerId first = peer();
    assertThat(reservations.reserve(first, "ip", NOW)).isPresent();
    assertThat(reservations.reserve(peer(), "ip", NOW)).isPresent();
    assertThat(reservations.reserve(peer(), "ip", NOW)).isEmpty();
    assertThat(reservations.reserve(first, "ip", NOW)).as("a renewal").isPresent();
    reservations.remove(first);
    assertThat(reservations.reserve(peer(), "ip", NOW)).isPresent();
  }

  @Test
  void renewsInAFullTable() {
    PeerId first = peer();
    reservations.reserve(first, "ip0", NOW);
    for (int i = 1; i < 4; i++) {
      reservations.reserve(peer(), "ip" + i, NOW);
    }
    Instant later = NOW.plusSeconds(1000);
    assertThat(reservations.reserve(first, "ip0", later)).contains(later.plus(HOUR));
    assertThat(reservations.count(NOW)).isEqualTo(4);
  }

  @Test
  void forgetsWhatHasExpired() {
    PeerId peer = peer();
    reservations.reserve(peer, "ip", NOW);
    assertThat(reservations.holds(peer, NOW.plus(HOUR).minusSeconds(1))).isTrue();
    assertThat(reservations.expire(NOW.plus(HOUR))).containsExactly(peer);
    assertThat(reservations.holds(peer, NOW.plus(HOUR))).isFalse();
    IntStream.range(0, 4)
        .forEach(i ->
            assertThat(reservations.reserve(peer(), "ip" + i % 2, NOW.plus(HOUR))).isPresent());
  }

  @Test
  void countsCircuitsAtBothEnds() {
    PeerId popular = peer();
    PeerId first = peer();
    assertThat(reservations.openCircuit(first, popular)).isTrue();
    assertThat(reservations.openCircuit(peer(), popular)).isTrue();
    assertThat(reservations.openCircuit(popular, peer())).isTrue();
    assertThat(reservations.openCircuit(peer(), popular)).isFalse();
    assertThat(reservations.openCircuit(popular, peer())).isFalse();
    assertThat(reservations.circuits()).isEqualTo(3);
    reservations.closeCircuit(first, popular);
    assertThat(reservations.openCircuit(peer(), popular)).isTrue();
  }
}
