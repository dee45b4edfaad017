package io.rigmesh.scheduler.matching;

import static io.rigmesh.scheduler.matching.Offers.device;
import static io.rigmesh.scheduler.matching.Offers.model;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class MatchingTest {
  private static final Hash MODEL = Digests.sha256(new byte[] {1});
  private static final long GIBIBYTE = 1L << 30;

  private static Wish wish() {
    return new Wish(
        new Task.Embed(),
        MODEL,
        true,
        Profile.F32_V1,
        1_000,
        OptionalLong.of(GIBIBYTE),
        Optional.empty(),
        Offers.account(99),
        Optional.empty(),
        Set.of());
  }

  private static Offer embed(int peer, long price, long megaflops) {
    return Offers.offer(
        peer,
        0,
        1,
        List.of(device(2 * GIBIBYTE, megaflops)),
        model(Hash.ZERO, JobKind.EMBED, price, 0));
  }

  private static List<String> peers(Match match) {
    return ((Match.Ranked) match).candidates().stream().map(c -> c.offer().peer()).toList();
  }

  private static RefusalCode code(Match match) {
    return ((Match.None) match).refusal().code();
  }

  @Test
  void cheapestIsFirstThenWhoHasTheModelThenTheFastestThenByPeer() {
    Offer stocked =
        Offers.offer(
            5, 0, 1, List.of(device(2 * GIBIBYTE, 1)), model(MODEL, JobKind.EMBED, 2_000, 0));
    assertThat(
            peers(
                Matching.rank(
                    List.of(
                        embed(1, 9_000, 50),
                        embed(4, 2_000, 10),
                        embed(3, 2_000, 10),
                        embed(2, 2_000, 90),
                        stocked),
                    wish())))
        .containsExactly("peer5", "peer2", "peer3", "peer4", "peer1");
  }

  @Test
  void leastPriceOfAJobCounts() {
    Offer dearAtLeast =
        new Offer(
            "peer7",
            List.of(),
            Offers.account(7),
            List.of(device(2 * GIBIBYTE, 1)),
            List.of(model(Hash.ZERO, JobKind.EMBED, 1, 0)),
            TokenAmount.of(1_000_000),
            "",
            0,
            1);
    Match.Ranked ranked =
        (Match.Ranked) Matching.rank(List.of(dearAtLeast, embed(1, 1_000, 1)), wish());
    assertThat(peers(ranked)).containsExactly("peer1", "peer7");
    assertThat(ranked.candidates().getLast().quote()).isEqualTo(TokenAmount.of(1_000_000));
  }

  @Test
  void eachLackHasItsOwnCode() {
    List<Offer> offers = List.of(embed(1, 2_000, 1));
    assertThat(code(Matching.rank(List.of(), wish()))).isEqualTo(RefusalCode.UNAVAILABLE);
    Wish w = wish();
    assertThat(
            code(
                Matching.rank(
                    offers,
                    new Wish(
                        new Task.Generate(1, 0, 0, 1),
                        MODEL,
                        true,
                        w.profile(),
                        1,
                        OptionalLong.empty(),
                        Optional.empty(),
                        w.requester(),
                        Optional.empty(),
                        Set.of()))))
        .isEqualTo(RefusalCode.UNSUPPORTED);
    assertThat(code(Matching.rank(offers, with(w, false, GIBIBYTE, Optional.empty(), Set.of()))))
        .isEqualTo(RefusalCode.UNKNOWN_MODEL);
    assertThat(code(Matching.rank(offers, with(w, true, 3 * GIBIBYTE, Optional.empty(), Set.of()))))
        .isEqualTo(RefusalCode.OUT_OF_MEMORY);
    assertThat(
            code(Matching.rank(offers, with(w, true, 1, Optional.of(TokenAmount.of(1)), Set.of()))))
        .isEqualTo(RefusalCode.PRICE_TOO_LOW);
    assertThat(code(Matching.rank(offers, with(w, true, 1, Optional.empty(), Set.of("peer1")))))
        .isEqualTo(RefusalCode.UNAVAILABLE);
  }

  private static Wish with(
      Wish w, boolean modelHere, long memory, Optional<TokenAmount> max, Set<String> excluded) {
    return new Wish(
        w.task(),
        w.model(),
        modelHere,
        w.profile(),
        w.inputBytes(),
        OptionalLong.of(memory),
        max,
        w.requester(),
        w.provider(),
        excluded);
  }

  @Test
  void nobodyBuysFromOneselfAndANamedProviderIsTheOnlyOne() {
    List<Offer> offers = List.of(embed(1, 1, 1), embed(2, 2, 1), embed(99, 0, 1));
    assertThat(peers(Matching.rank(offers, wish()))).containsExactly("peer1", "peer2");
    Wish w = wish();
    Wish named =
        new Wish(
            w.task(),
            w.model(),
            true,
            w.profile(),
            1,
            w.memoryBytes(),
            Optional.empty(),
            w.requester(),
            Optional.of("peer2"),
            Set.of());
    assertThat(peers(Matching.rank(offers, named))).containsExactly("peer2");
  }

  @Test
  void priceBeyondAllAmountsIsPassedOver() {
    Offer absurd =
        Offers.offer(
            1,
            0,
            1,
            List.of(device(2 * GIBIBYTE, 1)),
            new Offer.Model(
                Hash.ZERO,
                "",
                JobKind.EMBED,
                new TokenAmount(
                    java.math.BigInteger.TWO.pow(128).subtract(java.math.BigInteger.ONE)),
                TokenAmount.ZERO));
    Wish w = wish();
    Wish large =
        new Wish(
            w.task(),
            w.model(),
            true,
            w.profile(),
            1L << 40,
            w.memoryBytes(),
            Optional.empty(),
            w.requester(),
            Optional.empty(),
            Set.of());
    assertThat(peers(Matching.rank(List.of(absurd, embed(2, 5, 1)), large)))
        .containsExactly("peer2");
    assertThat(code(Matching.rank(List.of(absurd), large))).isEqualTo(RefusalCode.PRICE_TOO_LOW);
  }

  @Property
  void orderInWhichOffersWereHeardDoesNotMatter(@ForAll long seed) {
    Random random = new Random(seed);
    List<Offer> offers = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      offers.add(embed(i, 1_000L * random.nextInt(4), random.nextInt(3)));
    }
    List<String> ranked = peers(Matching.rank(offers, wish()));
    Collections.shuffle(offers, random);
    assertThat(peers(Matching.rank(offers, wish()))).isEqualTo(ranked).hasSize(12);
  }
}
