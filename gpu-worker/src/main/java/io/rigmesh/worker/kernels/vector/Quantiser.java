package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.INTS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;

import io.rigmesh.worker.kernels.QuantisedRows;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Rows of floats to 8-bit integers, as [QuantisedRows] defines them.
final class Quantiser {
  /// Added to a float below 2^22 in magnitude it leaves the nearest integer, ties to even, in the
  /// low bits.
  private static final float ROUNDER = 0x1.8p23f;

  private static final int ROUNDER_BITS = Float.floatToRawIntBits(ROUNDER);
  private static final int MAGNITUDE = 0x7fffffff;
  private static final int EXPONENT = 0x7f800000;

  private Quantiser() {}

  /// The row's scale, or NaN if the row holds NaN or infinity.
  static float scale(float[] x, int at, int count) {
    IntVector largest = IntVector.zero(INTS);
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      IntVector bits = FloatVector.fromArray(FLOATS, x, at + i).reinterpretAsInts();
      largest = largest.max(bits.and(MAGNITUDE));
    }
    int amax = largest.reduceLanes(VectorOperators.MAX);
    for (; i < count; i++) {
      amax = Math.max(amax, Float.floatToRawIntBits(x[at + i]) & MAGNITUDE);
    }
    return amax >= EXPONENT ? Float.NaN : Float.intBitsToFloat(amax) / QuantisedRows.LIMIT;
  }

  /// Writes the row's integers to `q`, each in both halves of an int.
  static void quantise(float[] x, int at, int count, float scale, int[] q, int to) {
    if (scale == 0f) {
      Arrays.fill(q, to, to + count, 0);
      return;
    }
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      IntVector rounded =
          FloatVector.fromArray(FLOATS, x, at + i)
              .div(scale)
              .add(ROUNDER)
              .reinterpretAsInts()
              .sub(ROUNDER_BITS)
              .min(QuantisedRows.LIMIT)
              .max(-QuantisedRows.LIMIT);
      rounded.and(0xffff).or(rounded.lanewise(VectorOperators.LSHL, 16)).intoArray(q, to + i);
    }
    for (; i < count; i++) {
      int rounded = Float.floatToRawIntBits(x[at + i] / scale + ROUNDER) - ROUNDER_BITS;
      int limited = Math.max(-QuantisedRows.LIMIT, Math.min(QuantisedRows.LIMIT, rounded));
      q[to + i] = (limited & 0xffff) | (limited << 16);
    }
  }
}
