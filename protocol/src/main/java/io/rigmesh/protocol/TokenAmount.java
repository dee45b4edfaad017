package io.rigmesh.protocol;

import java.math.BigInteger;

/// An amount of the payment token, in its smallest unit (a millionth of a dollar for a token of 6
/// decimals). Between 0 and 2^128 - 1, so that two of them fit where a contract adds.
///
/// @param units the amount in smallest units
public record TokenAmount(BigInteger units) implements Comparable<TokenAmount> {
  /// Nothing.
  public static final TokenAmount ZERO = new TokenAmount(BigInteger.ZERO);

  /// Checks the range.
  public TokenAmount {
    if (units.signum() < 0 || units.bitLength() > 128) {
      throw new MalformedException("an amount lies between 0 and 2^128 - 1, not " + units);
    }
  }

  /// The amount of `units` smallest units.
  public static TokenAmount of(long units) {
    return new TokenAmount(BigInteger.valueOf(units));
  }

  /// Reads a plain decimal integer of at most 39 digits.
  public static TokenAmount parse(String text) {
    return new TokenAmount(Decimals.unsigned(text, 39, "an amount"));
  }

  /// The sum.
  ///
  /// @throws MalformedException if it leaves the range
  public TokenAmount plus(TokenAmount other) {
    return new TokenAmount(units.add(other.units));
  }

  /// The difference.
  ///
  /// @throws MalformedException if it would be negative
  public TokenAmount minus(TokenAmount other) {
    return new TokenAmount(units.subtract(other.units));
  }

  @Override
  public int compareTo(TokenAmount other) {
    return units.compareTo(other.units);
  }

  @Override
  public String toString() {
    return units.toString();
  }
}
