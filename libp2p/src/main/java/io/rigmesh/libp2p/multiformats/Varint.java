package io.rigmesh.libp2p.multiformats;

import java.io.ByteArrayOutputStream;

/// Unsigned varints, at most nine bytes (63 bits), in their shortest form (multiformats'
/// unsigned-varint).
public final class Varint {
  public static final int BYTES_MAX = 9;

  private Varint() {}

  /// The number of bytes that a value takes.
  public static int size(long value) {
    if (value < 0) {
      throw new IllegalArgumentException("A varint is not negative: " + value);
    }
    return Math.max(1, (64 - Long.numberOfLeadingZeros(value) + 6) / 7);
  }

  public static byte[] encode(long value) {
    byte[] out = new byte[size(value)];
    write(value, out, 0);
    return out;
  }

  /// Writes at an offset and returns the offset behind it.
  public static int write(long value, byte[] out, int offset) {
    long rest = value;
    int at = offset;
    while (rest > 0x7f) {
      out[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    out[at++] = (byte) rest;
    return at;
  }

  public static void write(long value, ByteArrayOutputStream out) {
    out.writeBytes(encode(value));
  }

  /// A value and the offset behind it.
  public record Read(long value, int end) {}

  /// Reads at an offset.
  ///
  /// @throws IllegalArgumentException when it is cut short, longer than nine bytes, or not in
  ///   shortest form
  public static Read read(byte[] bytes, int offset) {
    long value = 0;
    for (int i = 0; i < BYTES_MAX; i++) {
      if (offset + i >= bytes.length) {
        throw new IllegalArgumentException("A varint is cut short at byte " + (offset + i));
      }
      int b = bytes[offset + i];
      value |= (long) (b & 0x7f) << (7 * i);
      if (b >= 0) {
        if (b == 0 && i > 0) {
          throw new IllegalArgumentException(
              "A varint at byte " + offset + " is not in its shortest form");
        }
        return new Read(value, offset + i + 1);
      }
    }
    throw new IllegalArgumentException("A varint at byte " + offset + " is over nine bytes");
  }
}
