package io.rigmesh.libp2p.multiformats;

import java.util.Arrays;

/// Base58 text in Bitcoin's alphabet (base58btc).
public final class Base58 {
  private static final String ALPHABET =
      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

  /// The cost grows with the square of the length, so that longer text is refused.
  public static final int CHARACTERS_MAX = 256;

  private Base58() {}

  public static String encode(byte[] bytes) {
    int zeros = 0;
    while (zeros < bytes.length && bytes[zeros] == 0) {
      zeros++;
    }
    byte[] number = Arrays.copyOf(bytes, bytes.length);
    StringBuilder text = new StringBuilder();
    int start = zeros;
    while (start < number.length) {
      int remainder = 0;
      for (int i = start; i < number.length; i++) {
        int digit = (remainder << 8) | (number[i] & 0xff);
        number[i] = (byte) (digit / 58);
        remainder = digit % 58;
      }
      text.append(ALPHABET.charAt(remainder));
      while (start < number.length && number[start] == 0) {
        start++;
      }
    }
    return text.append("1".repeat(zeros)).reverse().toString();
  }

  /// @throws IllegalArgumentException on a character outside the alphabet or text that is too long
  public static byte[] decode(String text) {
    if (text.length() > CHARACTERS_MAX) {
      throw new IllegalArgumentException(
          "Base58 text of " + text.length() + " characters is over " + CHARACTERS_MAX);
    }
    int zeros = 0;
    while (zeros < text.length() && text.charAt(zeros) == '1') {
      zeros++;
    }
    byte[] number = new byte[text.length()];
    int length = 0;
    for (int i = zeros; i < text.length(); i++) {
      int digit = ALPHABET.indexOf(text.charAt(i));
      if (digit < 0) {
        throw new IllegalArgumentException(
            "'" + text.charAt(i) + "' at position " + i + " is not a base58 character");
      }
      int carry = digit;
      for (int j = 0; j < length || carry != 0; j++) {
        int at = number.length - 1 - j;
        carry += 58 * (number[at] & 0xff);
        number[at] = (byte) carry;
        carry >>= 8;
        length = Math.max(length, j + 1);
      }
    }
    byte[] out = new byte[zeros + length];
    System.arraycopy(number, number.length - length, out, zeros, length);
    return out;
  }
}
