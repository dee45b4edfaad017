package io.rigmesh.protocol;

import java.math.BigDecimal;
import java.math.BigInteger;

/// Decimal numbers in texts that are hashed: one spelling per value.
final class Decimals {
  private Decimals() {}

  static BigInteger unsigned(String text, int digitsMax, String what) {
    boolean plain =
        !text.isEmpty()
            && text.length() <= digitsMax
            && text.chars().allMatch(c -> c >= '0' && c <= '9')
            && (text.length() == 1 || text.charAt(0) != '0');
    if (!plain) {
      throw new MalformedException(
          what
              + " is a decimal integer of at most "
              + digitsMax
              + " digits, not '"
              + cut(text)
              + "'");
    }
    return new BigInteger(text);
  }

  static int integer(String text, int min, int max, String what) {
    BigInteger value = unsigned(text, 10, what);
    if (value.compareTo(BigInteger.valueOf(min)) < 0
        || value.compareTo(BigInteger.valueOf(max)) > 0) {
      throw new MalformedException(what + " lies between " + min + " and " + max + ", not " + text);
    }
    return value.intValue();
  }

  /// Reads a plain decimal such as `0.0003` in its one canonical spelling: no exponent, no
  /// superfluous zeros.
  static float real(String text, float min, float max, String what) {
    if (text.isEmpty() || text.length() > 24 || !text.matches("[0-9]+(\\.[0-9]+)?")) {
      throw new MalformedException(
          what + " is a plain decimal such as 0.0003, not '" + cut(text) + "'");
    }
    if (!text.equals(spell(new BigDecimal(text)))) {
      throw new MalformedException(
          what + " has one spelling, " + spell(new BigDecimal(text)) + ", not '" + text + "'");
    }
    float value = Float.parseFloat(text);
    if (!(value >= min && value <= max)) {
      throw new MalformedException(
          what + " lies between " + spell(min) + " and " + spell(max) + ", not " + text);
    }
    return value;
  }

  /// As [#real], of a decimal that may have a minus in front; zero has none.
  static float signed(String text, float min, float max, String what) {
    if (!text.startsWith("-")) {
      return real(text, Math.max(0f, min), max, what);
    }
    float value = -real(text.substring(1), 0f, -min, what);
    if (value == 0f) {
      throw new MalformedException(what + " has one spelling, 0, not '" + cut(text) + "'");
    }
    return value;
  }

  /// The canonical spelling of the shortest decimal that reads back as `value`.
  static String spell(float value) {
    return spell(new BigDecimal(Float.toString(value)));
  }

  private static String spell(BigDecimal value) {
    return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
  }

  private static String cut(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "…";
  }
}
