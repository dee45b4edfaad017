package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.time.Duration;

/// When vouchers are handed in.
///
/// @param gasMultiple how many times its gas an amount must be worth; 0 hands in everything. A
///   channel that closes need only be worth its gas, unless this is 0
/// @param unitsPerEther what one ether is worth in the token's smallest unit, by which gas and
///   amounts are compared
/// @param claimsMax how many vouchers one call hands in at most
/// @param interval how often it is looked for work
/// @param retryAfter how long to wait after a call that had no effect
public record RedemptionSettings(
    int gasMultiple,
    BigDecimal unitsPerEther,
    int claimsMax,
    Duration interval,
    Duration retryAfter) {
  private static final BigDecimal WEI_PER_ETHER = BigDecimal.TEN.pow(18);

  /// Checks the ranges.
  public RedemptionSettings {
    if (gasMultiple < 0 || gasMultiple > 1_000_000) {
      throw new IllegalArgumentException(
          "the gas multiple lies between 0 and 1000000, not " + gasMultiple);
    }
    if (unitsPerEther.signum() <= 0) {
      throw new IllegalArgumentException("an ether is worth more than nothing");
    }
    if (claimsMax < 1 || claimsMax > 2_000) {
      throw new IllegalArgumentException("claims lie between 1 and 2000, not " + claimsMax);
    }
    if (interval.isNegative() || interval.isZero() || retryAfter.isNegative()) {
      throw new IllegalArgumentException("the interval is above zero");
    }
  }

  /// Twenty times the gas, at 3,000 units of 10^-6 for an ether, 500 vouchers a call, looked for
  /// every 15 seconds.
  public static RedemptionSettings standard() {
    return new RedemptionSettings(
        20, BigDecimal.valueOf(3_000_000_000L), 500, Duration.ofSeconds(15), Duration.ofMinutes(2));
  }

  /// True if an amount is worth `multiple` times the gas.
  ///
  /// @param token what it is an amount of; ether is compared with gas as it is
  /// @param units in the token's smallest unit
  boolean isWorth(Address token, BigInteger units, BigInteger costWei, int multiple) {
    BigDecimal perEther = token.equals(Address.ZERO) ? WEI_PER_ETHER : unitsPerEther;
    BigDecimal cost =
        new BigDecimal(costWei)
            .multiply(perEther)
            .divide(WEI_PER_ETHER, MathContext.DECIMAL64)
            .multiply(BigDecimal.valueOf(multiple));
    return new BigDecimal(units).compareTo(cost) >= 0;
  }
}
