package io.rigmesh.scheduler.pricing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.GenerateOptions;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class PricingPropertyTest {
  private static final GenerateOptions CHAT =
      new GenerateOptions(true, 0, 1, 0, 0, new TreeMap<>(), List.of(), OptionalInt.empty());
  private static final Pricing PRICING =
      new Pricing(
          Map.of(
              JobKind.GENERATE, new Pricing.Rate(TokenAmount.of(20_000), TokenAmount.of(60_000)),
              JobKind.EMBED, new Pricing.Rate(TokenAmount.of(10_000), TokenAmount.ZERO)),
          TokenAmount.of(7));

  @Property
  void noMeterWithinTheBoundCostsMoreThanTheQuote(
      @ForAll @LongRange(min = 0, max = 1L << 28) long inputBytes,
      @ForAll @IntRange(min = 1, max = 131_072) int maxTokens,
      @ForAll @LongRange(min = 0, max = 1L << 28) long in,
      @ForAll @LongRange(min = 0, max = 131_072) long out,
      @ForAll boolean chat) {
    Task.Generate task = new Task.Generate(maxTokens, 0, 0, 1, chat ? CHAT : GenerateOptions.NONE);
    // A chat's template adds text of its own.
    long tokensMax = inputBytes + 2 + (chat ? Task.Generate.TEMPLATE_TOKENS_MAX : 0);
    Meter meter = new Meter(Math.min(in, tokensMax), Math.min(out, maxTokens), 0);
    TokenAmount quote = PRICING.quoteMax(task, inputBytes);
    assertThat(PRICING.price(JobKind.GENERATE, meter, quote))
        .isEqualTo(PRICING.price(JobKind.GENERATE, meter, TokenAmount.of(Long.MAX_VALUE)))
        .isLessThanOrEqualTo(quote);
  }

  @Property
  void neverAsksForMoreThanTheLimitNorForNothing(
      @ForAll @LongRange(min = 0, max = 1L << 40) long in,
      @ForAll @LongRange(min = 0, max = 1L << 40) long out,
      @ForAll @LongRange(min = 1, max = 1L << 40) long limit) {
    TokenAmount price =
        PRICING.price(JobKind.GENERATE, new Meter(in, out, 0), TokenAmount.of(limit));
    assertThat(price).isLessThanOrEqualTo(TokenAmount.of(limit)).isGreaterThan(TokenAmount.ZERO);
  }

  @Example
  void priceIsInTokensPerMillionRoundedUp() {
    TokenAmount limit = TokenAmount.of(1_000_000);
    assertThat(PRICING.price(JobKind.GENERATE, new Meter(1_000, 500, 500), limit))
        .isEqualTo(TokenAmount.of(20 + 30));
    assertThat(PRICING.price(JobKind.GENERATE, new Meter(1_001, 500, 500), limit))
        .isEqualTo(TokenAmount.of(51));
    assertThat(PRICING.price(JobKind.EMBED, new Meter(1, 0, 1), limit))
        .isEqualTo(TokenAmount.of(7));
  }

  @Example
  void trainingIsQuotedByItsSteps() {
    Pricing train =
        new Pricing(
            Map.of(JobKind.TRAIN, new Pricing.Rate(TokenAmount.of(1_000_000), TokenAmount.ZERO)),
            TokenAmount.of(1));
    Task.Train task = new Task.Train(10, 4, 64, 0.1f, 0, 0f, 1f, 5, java.util.Optional.empty());
    assertThat(train.quoteMax(task, 999_999)).isEqualTo(TokenAmount.of(10 * 4 * 64));
  }

  @Example
  void kindWithoutARateIsNotOffered() {
    assertThat(PRICING.offers(JobKind.TRAIN)).isFalse();
    assertThatThrownBy(() -> PRICING.price(JobKind.TRAIN, new Meter(1, 1, 1), TokenAmount.of(9)))
        .hasMessageContaining("train");
  }
}
