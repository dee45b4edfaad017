package io.rigmesh.ledger.intent;

import java.math.BigInteger;
import java.time.Duration;

/// How transactions are paid for and when they count as done.
///
/// @param confirmations blocks that must hold it, its own among them, before a transaction is done;
///   at least 1
/// @param maxFeeCapWei the most that is ever offered for a unit of gas, in wei
/// @param gasMarginPercent gas that is allowed on top of the estimate, which the state of the next
///   block may raise
/// @param replaceAfter how long a transaction may wait before it is sent again with higher fees
/// @param pollInterval how often open transactions are looked after
public record SenderSettings(
    int confirmations,
    BigInteger maxFeeCapWei,
    int gasMarginPercent,
    Duration replaceAfter,
    Duration pollInterval) {
  private static final BigInteger GWEI = BigInteger.TEN.pow(9);

  /// Checks the ranges.
  public SenderSettings {
    if (confirmations < 1 || confirmations > 1_000) {
      throw new IllegalArgumentException(
          "confirmations lie between 1 and 1000, not " + confirmations);
    }
    if (maxFeeCapWei.signum() <= 0) {
      throw new IllegalArgumentException("the fee cap is above zero");
    }
    if (gasMarginPercent < 0 || gasMarginPercent > 400) {
      throw new IllegalArgumentException(
          "the gas margin lies between 0 and 400 percent, not " + gasMarginPercent);
    }
    if (replaceAfter.isNegative() || replaceAfter.isZero()) {
      throw new IllegalArgumentException("the time before a replacement is above zero");
    }
    if (pollInterval.isNegative() || pollInterval.isZero()) {
      throw new IllegalArgumentException("the poll interval is above zero");
    }
  }

  /// For a development chain, whose blocks come at once and are never taken back.
  public static SenderSettings development() {
    return new SenderSettings(
        1,
        GWEI.multiply(BigInteger.valueOf(200)),
        25,
        Duration.ofSeconds(15),
        Duration.ofMillis(100));
  }

  /// For a public chain: 12 blocks, at most 200 gwei, replaced after 90 seconds.
  public static SenderSettings production() {
    return new SenderSettings(
        12,
        GWEI.multiply(BigInteger.valueOf(200)),
        25,
        Duration.ofSeconds(90),
        Duration.ofSeconds(4));
  }
}
