package io.rigmesh.ledger.intent;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.chain.FeeQuote;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

class FeesPropertyTest {
  private static final long MOST = 1L << 50;

  private static FeeQuote quote(long base, long priority) {
    return new FeeQuote(BigInteger.valueOf(base), BigInteger.valueOf(priority));
  }

  private static Attempt attempt(Fees fees) {
    return new Attempt(
        Hash.ZERO,
        "0x",
        21_000,
        fees.maxFeeWei(),
        fees.priorityFeeWei(),
        Instant.EPOCH,
        Optional.empty());
  }

  @Property
  void neverAboveTheCapAndNeverATipAboveTheWhole(
      @ForAll @LongRange(max = MOST) long base,
      @ForAll @LongRange(max = MOST) long priority,
      @ForAll @LongRange(min = 1, max = MOST) long cap) {
    BigInteger capWei = BigInteger.valueOf(cap);
    Optional<Fees> first = Fees.first(quote(base, priority), capWei);
    assertThat(first.isPresent()).isEqualTo(base <= cap);
    first.ifPresent(fees -> {
      requireSound(fees, capWei);
      assertThat(fees.maxFeeWei()).isGreaterThanOrEqualTo(BigInteger.valueOf(base));
      Fees.replacing(attempt(fees), quote(base, priority), capWei)
          .ifPresent(higher -> requireSound(higher, capWei));
    });
  }

  private static void requireSound(Fees fees, BigInteger cap) {
    assertThat(fees.maxFeeWei()).isLessThanOrEqualTo(cap);
    assertThat(fees.priorityFeeWei()).isLessThanOrEqualTo(fees.maxFeeWei());
  }

  @Property
  void aReplacementOffersATenthMoreInBothFees(
      @ForAll @LongRange(max = MOST) long oldBase,
      @ForAll @LongRange(max = MOST) long oldPriority,
      @ForAll @LongRange(max = MOST) long base,
      @ForAll @LongRange(max = MOST) long priority,
      @ForAll @LongRange(min = 1, max = MOST) long cap) {
    BigInteger capWei = BigInteger.valueOf(cap);
    Fees.first(quote(oldBase, oldPriority), capWei)
        .ifPresent(old ->
            Fees.replacing(attempt(old), quote(base, priority), capWei)
                .ifPresent(higher -> {
                  requireTenthMore(old.maxFeeWei(), higher.maxFeeWei());
                  requireTenthMore(old.priorityFeeWei(), higher.priorityFeeWei());
                }));
  }

  private static void requireTenthMore(BigInteger old, BigInteger higher) {
    assertThat(higher).isGreaterThan(old);
    assertThat(higher.multiply(BigInteger.TEN))
        .isGreaterThanOrEqualTo(old.multiply(BigInteger.valueOf(11)));
  }
}
