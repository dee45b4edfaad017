package io.rigmesh.worker.format;

import java.util.Optional;

/// The element types of the safetensors format, named as its headers name them. All are
/// little-endian on disk.
public enum ElementType {
  BOOL(1),
  U8(1),
  I8(1),
  F8_E4M3(1),
  F8_E5M2(1),
  U16(2),
  I16(2),
  F16(2),
  BF16(2),
  U32(4),
  I32(4),
  F32(4),
  U64(8),
  I64(8),
  F64(8);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of one element.
  public int bytes() {
    return bytes;
  }

  /// Whether every value of the type is a binary32 value, so that reading it as floats rounds
  /// nothing.
  public boolean readableAsFloats() {
    return this == F32 || this == F16 || this == BF16;
  }

  static Optional<ElementType> named(String name) {
    for (ElementType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
