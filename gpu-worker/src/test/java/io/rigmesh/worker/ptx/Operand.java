package io.rigmesh.worker.ptx;

import java.util.List;

/// An operand of an instruction, as it was written.
sealed interface Operand {
  /// A declared register; `index` counts the registers of its class in the kernel.
  record Register(String name, ScalarType type, int index) implements Operand {}

  /// A register that the machine provides, for example `%tid.x`.
  record Special(String name) implements Operand {}

  /// A literal: the bits of an integer (`B64`), of a float (`F32`) or of a double (`F64`).
  record Immediate(long bits, ScalarType type) implements Operand {
    /// The bits of this literal as an operand of `wanted`.
    long as(ScalarType wanted) {
      if (type == ScalarType.F64 && wanted == ScalarType.F32) {
        return Float.floatToRawIntBits((float) Double.longBitsToDouble(bits)) & 0xffffffffL;
      }
      if (type == ScalarType.F32 && wanted == ScalarType.F64) {
        return Double.doubleToRawLongBits(Float.intBitsToFloat((int) bits));
      }
      return bits;
    }
  }

  /// A variable's name.
  record Symbol(String name, int offset) implements Operand {}

  /// A branch's target: the index of the instruction that it marks.
  record Label(String name, int target) implements Operand {}

  /// `[base + offset]`, with the coordinates of a tensor copy if any.
  record Address(Operand base, long offset, List<Operand> coordinates) implements Operand {}

  /// `{a, b, ...}`.
  record Vector(List<Operand> elements) implements Operand {}

  /// `a|b`: two results.
  record Pair(Operand first, Operand second) implements Operand {}

  /// `!p`.
  record Not(Operand predicate) implements Operand {}

  /// `_`: a result that nobody wants.
  record Sink() implements Operand {}
}
