package io.rigmesh.worker.kernels.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The vector width of this machine, chosen once. No result depends on it: lanes are independent
/// outputs, or slots of the 256 lanes of a lane sum.
final class Lanes {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
  static final int WIDTH = FLOATS.length();

  /// As many bytes as a vector has shorts.
  static final VectorSpecies<Byte> HALF_BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

  private static final int MAGNITUDE = 0x7fffffff;
  private static final int EXPONENT = 0x7f800000;

  private Lanes() {}

  /// Whether one of `count` elements is NaN or infinite: their largest magnitude, as bits, tells.
  static boolean anyNonFinite(float[] x, int offset, int count) {
    IntVector largest = IntVector.zero(INTS);
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      IntVector bits = FloatVector.fromArray(FLOATS, x, offset + i).reinterpretAsInts();
      largest = largest.max(bits.and(MAGNITUDE));
    }
    boolean bad = largest.compare(VectorOperators.GE, EXPONENT).anyTrue();
    for (; i < count; i++) {
      bad |= (Float.floatToRawIntBits(x[offset + i]) & EXPONENT) == EXPONENT;
    }
    return bad;
  }
}
