package io.rigmesh.ledger;

import java.math.BigDecimal;
import java.math.BigInteger;

/// Amounts of the chain's own coin as a person reads them.
public final class Ether {
  private static final int DECIMALS = 18;

  private Ether() {}

  /// An amount in ether without trailing zeros: `0.0021 ETH`.
  ///
  /// @param wei the amount in wei
  public static String text(BigInteger wei) {
    BigDecimal ether = new BigDecimal(wei, DECIMALS).stripTrailingZeros();
    return ether.toPlainString() + " ETH";
  }
}
