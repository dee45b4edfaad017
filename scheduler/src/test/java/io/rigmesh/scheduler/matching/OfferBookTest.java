package io.rigmesh.scheduler.matching;

import static io.rigmesh.scheduler.matching.Offers.device;
import static io.rigmesh.scheduler.matching.Offers.model;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Offer;
import io.rigmesh.scheduler.matching.OfferBook.Outcome;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class OfferBookTest {
  private static final long NOW = 1_000_000;

  private final OfferBook book = new OfferBook(3);

  private static Offer offer(int peer, long validUntil, long sequence) {
    return Offers.offer(
        peer, validUntil, sequence, List.of(device(1, 1)), model(Hash.ZERO, JobKind.TRAIN, 1, 1));
  }

  private static Offer withdrawal(int peer, long validUntil, long sequence) {
    return Offers.offer(peer, validUntil, sequence, List.of());
  }

  private Outcome take(Offer offer, long now) {
    return book.take(offer, offer.canonicalBytes(), now);
  }

  @Test
  void higherSequenceReplacesALowerOneAndNothingElseDoes() {
    assertThat(take(offer(1, NOW + 600, 5), NOW)).isEqualTo(Outcome.TAKEN);
    assertThat(take(offer(1, NOW + 900, 5), NOW)).isEqualTo(Outcome.STALE);
    assertThat(take(offer(1, NOW + 900, 4), NOW)).isEqualTo(Outcome.STALE);
    assertThat(take(offer(1, NOW + 300, 6), NOW)).isEqualTo(Outcome.TAKEN);
    assertThat(book.live(NOW)).extracting(Offer::sequence).containsExactly(6L);
  }

  @Test
  void offersExpireByThemselvesAndExpiredOrFarOnesAreNotTaken() {
    assertThat(take(offer(1, NOW - OfferBook.SKEW_SECONDS, 1), NOW)).isEqualTo(Outcome.EXPIRED);
    assertThat(take(offer(1, NOW + 2 * OfferBook.VALID_SECONDS_MAX, 1), NOW))
        .isEqualTo(Outcome.ENDS_TOO_LATE);
    assertThat(take(offer(1, NOW + 10, 1), NOW)).isEqualTo(Outcome.TAKEN);
    assertThat(book.find("peer1", NOW + 9)).isPresent();
    assertThat(book.find("peer1", NOW + 10)).isEmpty();
    book.expire(NOW + 10 + OfferBook.SKEW_SECONDS);
    assertThat(book.size()).isZero();
  }

  @Test
  void withdrawnOfferVanishesAndCannotBeReplayedWhileItWouldStillHold() {
    Offer first = offer(1, NOW + 600, 1);
    take(first, NOW);
    assertThat(take(withdrawal(1, NOW + 1, 2), NOW)).isEqualTo(Outcome.TAKEN);
    assertThat(book.live(NOW)).isEmpty();
    assertThat(book.sealed(10, NOW)).isEmpty();
    book.expire(NOW + 300);
    assertThat(take(first, NOW + 300)).isEqualTo(Outcome.STALE);
  }

  @Test
  void bookHasABoundAndKeepsWhoIsInIt() {
    for (int peer = 1; peer <= 3; peer++) {
      assertThat(take(offer(peer, NOW + 100, 1), NOW)).isEqualTo(Outcome.TAKEN);
    }
    assertThat(take(offer(4, NOW + 3_000, 1), NOW)).isEqualTo(Outcome.FULL);
    assertThat(take(offer(2, NOW + 200, 2), NOW)).isEqualTo(Outcome.TAKEN);
    assertThat(take(offer(4, NOW + 3_000, 1), NOW + 161)).isEqualTo(Outcome.TAKEN);
  }

  @Test
  void providerThatChangesItsMindAllTheTimeIsNotHeardEachTime() {
    int taken = 0;
    for (int i = 1; i <= 100; i++) {
      taken += take(offer(1, NOW + 600, i), NOW) == Outcome.TAKEN ? 1 : 0;
    }
    assertThat(taken).isEqualTo(OfferBook.BURST);
    assertThat(take(offer(1, NOW + 600, 101), NOW + OfferBook.SECONDS_PER_OFFER))
        .isEqualTo(Outcome.TAKEN);
  }

  @Test
  void longestHoldingOffersAreToldFirst() {
    take(offer(1, NOW + 100, 1), NOW);
    take(offer(2, NOW + 300, 1), NOW);
    take(offer(3, NOW + 200, 1), NOW);
    assertThat(book.sealed(2, NOW))
        .containsExactly(
            offer(2, NOW + 300, 1).canonicalBytes(), offer(3, NOW + 200, 1).canonicalBytes());
  }

  /// What arrives twice, late or out of order leaves the same book.
  @Property
  void orderOfArrivalDoesNotMatter(
      @ForAll @Size(min = 1, max = 7) List<@IntRange(min = 1, max = 5) Integer> sequences) {
    OfferBook own = new OfferBook(10);
    Map<String, Long> newest = new HashMap<>();
    for (int i = 0; i < sequences.size(); i++) {
      Offer offer = offer(i % 2, NOW + 600, sequences.get(i));
      own.take(offer, offer.canonicalBytes(), NOW);
      newest.merge(offer.peer(), offer.sequence(), Math::max);
    }
    for (Offer offer : own.live(NOW)) {
      assertThat(offer.sequence()).isEqualTo(newest.get(offer.peer()));
    }
    assertThat(own.live(NOW)).hasSize(newest.size());
  }
}
