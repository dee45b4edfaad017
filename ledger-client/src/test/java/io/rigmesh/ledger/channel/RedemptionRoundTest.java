package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a round hands in, and when.
class RedemptionRoundTest {
  private static final RedemptionSettings SETTINGS =
      new RedemptionSettings(
          0, BigDecimal.TEN.pow(9), 100, Duration.ofSeconds(1), Duration.ofMinutes(2));
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir private Path folder;

  @Test
  void afterAFailedCallOrdinaryChannelsWaitAndOneThatClosesDoesNot() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    ChannelTerms staying = paid(books, payer, payee, "first");
    payer.withhold(staying.id(), "the next job gets a channel of its own");
    ChannelTerms closing = paid(books, payer, payee, "second");
    Set<Hash> both = Set.of(staying.id(), closing.id());

    round(books, payee, NOW).run(false);
    assertThat(books.contract.handedIn()).containsExactly(both);
    round(books, payee, NOW).run(false);
    assertThat(books.contract.handedIn()).as("one call at a time").hasSize(1);

    books.contract.setRefusing(true);
    round(books, payee, NOW).run(false);
    assertThat(books.contract.handedIn()).as("not again at once").hasSize(1);

    // A payer that makes a call fail, by handing one voucher in itself, wins no time for another.
    close(books, payee, closing);
    round(books, payee, NOW).run(false);
    assertThat(books.contract.handedIn()).containsExactly(both, Set.of(closing.id()));

    round(books, payee, NOW.plus(Duration.ofMinutes(3))).run(false);
    assertThat(books.contract.handedIn()).containsExactly(both, Set.of(closing.id()), both);
  }

  @Test
  void aClockThatIsSetBackAfterAFailedCallKeepsNoChannelWaiting() {
    Books books = new Books(folder, 10_000, 1_000);
    PayeeBook payee = books.payee();
    Set<Hash> one = Set.of(paid(books, books.payer(), payee, "only").id());
    round(books, payee, NOW).run(false);
    books.contract.setRefusing(true);
    round(books, payee, NOW).run(false);
    assertThat(books.contract.handedIn()).containsExactly(one);

    books.contract.setRefusing(false);
    round(books, payee, NOW.minus(Duration.ofDays(1))).run(false);
    assertThat(books.contract.handedIn()).containsExactly(one, one);
  }

  /// Twenty times its gas, where a unit is worth a wei.
  private static final RedemptionSettings CAREFUL =
      new RedemptionSettings(
          20, BigDecimal.TEN.pow(18), 100, Duration.ofSeconds(1), Duration.ofMinutes(2));

  @Test
  void aVoucherIsHandedInOnceItIsWorthTwentyTimesItsGasAndNotAUnitBefore() {
    Books books = new Books(folder, 10_000, 5_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    books.contract.setRedeemCost(10, 5);
    ChannelTerms terms = paid(books, payer, payee, "below", 299);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).as("299 for 15 of gas").isEmpty();
    assertThat(paid(books, payer, payee, "exactly", 1)).isEqualTo(terms);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).containsExactly(Set.of(terms.id()));
  }

  @Test
  void aVoucherIsHandedInOnceGasIsCheapEnough() {
    Books books = new Books(folder, 10_000, 5_000);
    PayeeBook payee = books.payee();
    ChannelTerms terms = paid(books, books.payer(), payee, "above", 319);
    books.contract.setRedeemCost(16, 0);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).as("319 for 16 of gas").isEmpty();
    books.contract.setRedeemCost(15, 0);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).containsExactly(Set.of(terms.id()));
  }

  @Test
  void whatIsNotWorthACallOfItsOwnGoesInTogether() {
    Books books = new Books(folder, 10_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    books.contract.setRedeemCost(20, 5);
    ChannelTerms first = paid(books, payer, payee, "first", 300);
    payer.withhold(first.id(), "the next job gets a channel of its own");
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).as("300 for 25 of gas").isEmpty();
    ChannelTerms second = paid(books, payer, payee, "second", 300);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn())
        .as("600 for 30 of gas")
        .containsExactly(Set.of(first.id(), second.id()));
  }

  @Test
  void ofAMixedBatchOnlyWhatIsWorthItsShareGoesInAndOnlyIfThatIsWorthItsCall() {
    Books books = new Books(folder, 20_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    books.contract.setRedeemCost(10, 10);
    ChannelTerms small = paid(books, payer, payee, "small", 200);
    payer.withhold(small.id(), "the next job gets a channel of its own");
    // Its share of a call for both is 15, which is less than a call of its own.
    ChannelTerms large = paid(books, payer, payee, "large", 399);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).as("399 alone for 20 of gas").isEmpty();
    assertThat(paid(books, payer, payee, "more", 1)).isEqualTo(large);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).containsExactly(Set.of(large.id()));
  }

  @Test
  void aChannelThatClosesNeedOnlyBeWorthItsGasAndIsLeftWhereItIsNot() {
    Books books = new Books(folder, 20_000, 1_000);
    PayerBook payer = books.payer();
    PayeeBook payee = books.payee();
    books.contract.setRedeemCost(300, 1);
    ChannelTerms staying = paid(books, payer, payee, "staying", 900);
    payer.withhold(staying.id(), "the next job gets a channel of its own");
    ChannelTerms closing = paid(books, payer, payee, "closing", 300);
    close(books, payee, closing);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).as("300 for its share of 302 and alone 301").isEmpty();
    books.contract.setRedeemCost(299, 1);
    round(books, payee, CAREFUL).run(false);
    assertThat(books.contract.handedIn()).containsExactly(Set.of(closing.id()));
  }

  private static void close(Books books, PayeeBook payee, ChannelTerms terms) {
    books.contract.requestClose(terms);
    payee
        .store()
        .transaction(handle -> {
          ChannelStore.news(handle, terms.id());
          return true;
        });
  }

  private static ChannelTerms paid(Books books, PayerBook payer, PayeeBook payee, String name) {
    return paid(books, payer, payee, name, 300);
  }

  private static ChannelTerms paid(
      Books books, PayerBook payer, PayeeBook payee, String name, long units) {
    Hash job = hash(name);
    TokenAmount price = TokenAmount.of(units);
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, price, LATER);
    payee.admit(terms, job, price, LATER);
    payee.take(payer.pay(terms.id(), job, price, List.of()));
    payer.release(job);
    return terms;
  }

  private static RedemptionRound round(Books books, PayeeBook payee, Instant at) {
    return new RedemptionRound(
        payee.store(), books.contract, SETTINGS, Clock.fixed(at, ZoneOffset.UTC), false);
  }

  private static RedemptionRound round(Books books, PayeeBook payee, RedemptionSettings settings) {
    return new RedemptionRound(
        payee.store(), books.contract, settings, Clock.fixed(NOW, ZoneOffset.UTC), false);
  }
}
