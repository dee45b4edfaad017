package io.rigmesh.worker.ptx;

import java.util.Locale;
import java.util.Optional;

/// A type of PTX's instruction suffixes.
enum ScalarType {
  PRED(0),
  U8(1),
  S8(1),
  B8(1),
  U16(2),
  S16(2),
  B16(2),
  F16(2),
  BF16(2),
  U32(4),
  S32(4),
  B32(4),
  F32(4),
  F16X2(4),
  BF16X2(4),
  U64(8),
  S64(8),
  B64(8),
  F64(8);

  private final int bytes;

  ScalarType(int bytes) {
    this.bytes = bytes;
  }

  /// The size in memory, 0 for a predicate.
  int bytes() {
    return bytes;
  }

  int bits() {
    return bytes * 8;
  }

  /// Whether a register of this type lies among the 64-bit rows.
  boolean wide() {
    return bytes == 8;
  }

  boolean signed() {
    return this == S8 || this == S16 || this == S32 || this == S64;
  }

  boolean floating() {
    return switch (this) {
      case F16, BF16, F32, F64, F16X2, BF16X2 -> true;
      default -> false;
    };
  }

  /// The type that a suffix such as `u32` names, if it names one.
  static Optional<ScalarType> named(String suffix) {
    for (ScalarType type : values()) {
      if (type.name().toLowerCase(Locale.ROOT).equals(suffix)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
