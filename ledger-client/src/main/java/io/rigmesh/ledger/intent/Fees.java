package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.chain.FeeQuote;
import java.math.BigInteger;
import java.util.Optional;

/// What one version of a transaction offers for a unit of gas (EIP-1559), in wei.
///
/// @param maxFeeWei the most it pays, base fee and tip together
/// @param priorityFeeWei the tip
record Fees(BigInteger maxFeeWei, BigInteger priorityFeeWei) {
  private static final BigInteger EIGHT = BigInteger.valueOf(8);
  private static final BigInteger NINE = BigInteger.valueOf(9);

  /// Fees for a first version: room for the base fee to double, which takes six full blocks.
  ///
  /// @return empty while the base fee alone is above the cap
  static Optional<Fees> first(FeeQuote quote, BigInteger capWei) {
    if (quote.baseFeeWei().compareTo(capWei) > 0) {
      return Optional.empty();
    }
    BigInteger wanted = quote.baseFeeWei().shiftLeft(1).add(quote.priorityFeeWei());
    BigInteger maxFee = wanted.min(capWei);
    return Optional.of(new Fees(maxFee, quote.priorityFeeWei().min(maxFee)));
  }

  /// Fees for a version that takes another's place: an eighth more, since nodes ask for a tenth, or
  /// what is asked now if that is more.
  ///
  /// @return empty if that would be above the cap
  static Optional<Fees> replacing(Attempt old, FeeQuote quote, BigInteger capWei) {
    BigInteger priority = raised(old.priorityFeeWei()).max(quote.priorityFeeWei());
    BigInteger maxFee =
        raised(old.maxFeeWei())
            .max(quote.baseFeeWei().shiftLeft(1).add(quote.priorityFeeWei()))
            .max(priority);
    BigInteger least = raised(old.maxFeeWei()).max(raised(old.priorityFeeWei()));
    if (least.compareTo(capWei) > 0) {
      return Optional.empty();
    }
    BigInteger capped = maxFee.min(capWei);
    return Optional.of(new Fees(capped, priority.min(capped)));
  }

  private static BigInteger raised(BigInteger fee) {
    return fee.multiply(NINE).divide(EIGHT).add(BigInteger.ONE);
  }
}
