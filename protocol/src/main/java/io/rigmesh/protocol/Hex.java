package io.rigmesh.protocol;

import java.util.HexFormat;

/// Strict hexadecimal for fields of a known length.
final class Hex {
  private Hex() {}

  static byte[] parse(String text, int bytes, String what) {
    String digits = text.startsWith("0x") ? text.substring(2) : text;
    if (digits.length() != 2 * bytes) {
      throw new MalformedException(
          what + " has " + 2 * bytes + " hexadecimal digits, not " + digits.length());
    }
    try {
      return HexFormat.of().parseHex(digits);
    } catch (IllegalArgumentException e) {
      throw new MalformedException(what + " is not hexadecimal: " + e.getMessage(), e);
    }
  }
}
