package io.rigmesh.worker.ptx;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Little-endian numbers in arrays of bytes.
final class Bytes {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  static int getInt(byte[] from, int at) {
    return (int) INT.get(from, at);
  }

  static long getLong(byte[] from, int at) {
    return (long) LONG.get(from, at);
  }

  static void putInt(byte[] to, int at, int value) {
    INT.set(to, at, value);
  }

  static void putLong(byte[] to, int at, long value) {
    LONG.set(to, at, value);
  }

  /// Reads a value of `type` into a register's form: extended as its sign says.
  static int getWord(byte[] from, int at, ScalarType type) {
    return switch (type.bytes()) {
      case 1 -> type.signed() ? from[at] : from[at] & 0xff;
      case 2 -> type.signed() ? (short) SHORT.get(from, at) : (short) SHORT.get(from, at) & 0xffff;
      default -> (int) INT.get(from, at);
    };
  }

  static void putWord(byte[] to, int at, ScalarType type, int value) {
    switch (type.bytes()) {
      case 1 -> to[at] = (byte) value;
      case 2 -> SHORT.set(to, at, (short) value);
      default -> INT.set(to, at, value);
    }
  }
}
