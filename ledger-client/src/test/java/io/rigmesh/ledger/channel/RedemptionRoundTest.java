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
    books.contract.requestClose(closing);
    payee
        .store()
        .transaction(handle -> {
          ChannelStore.news(handle, closing.id());
          return true;
        });
    round(books, payee, NOW).run(false);
    assertThat(books.contract.handedIn()).containsExactly(both, Set.of(closing.id()));

    round(books, payee, NOW.plus(Duration.ofMinutes(3))).run(false);
    assertThat(books.contract.handedIn()).containsExactly(both, Set.of(closing.id()), both);
  }

  private static ChannelTerms paid(Books books, PayerBook payer, PayeeBook payee, String name) {
    Hash job = hash(name);
    TokenAmount price = TokenAmount.of(300);
    ChannelTerms terms = payer.reserve(books.payeeKey.address(), job, price, LATER);
    payee.admit(terms, job, price, LATER);
    payee.take(payer.pay(terms.id(), job, price, List.of()));
    return terms;
  }

  private static RedemptionRound round(Books books, PayeeBook payee, Instant at) {
    return new RedemptionRound(
        payee.store(), books.contract, SETTINGS, Clock.fixed(at, ZoneOffset.UTC), false);
  }
}
