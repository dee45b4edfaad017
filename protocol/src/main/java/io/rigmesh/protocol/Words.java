package io.rigmesh.protocol;

import java.math.BigInteger;
import java.util.Arrays;

/// 32-byte big-endian words, as the EVM has them.
final class Words {
  private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(256);

  private Words() {}

  static byte[] uint256(BigInteger value) {
    if (value.signum() < 0 || value.compareTo(LIMIT) >= 0) {
      throw new MalformedException("not an unsigned 256-bit number: " + value);
    }
    byte[] word = new byte[32];
    byte[] magnitude = value.toByteArray();
    int from = magnitude.length > 32 ? 1 : 0;
    int length = magnitude.length - from;
    System.arraycopy(magnitude, from, word, 32 - length, length);
    return word;
  }

  static byte[] uint64(long value) {
    byte[] word = new byte[32];
    for (int i = 0; i < 8; i++) {
      word[31 - i] = (byte) (value >>> (8 * i));
    }
    return word;
  }

  static byte[] address(Address address) {
    byte[] word = new byte[32];
    System.arraycopy(address.bytes(), 0, word, 12, Address.BYTES);
    return word;
  }

  static byte[] join(byte[]... parts) {
    int length = Arrays.stream(parts).mapToInt(p -> p.length).sum();
    byte[] out = new byte[length];
    int at = 0;
    for (byte[] part : parts) {
      System.arraycopy(part, 0, out, at, part.length);
      at += part.length;
    }
    return out;
  }
}
