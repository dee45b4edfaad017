package io.rigmesh.worker.kernels.vector;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The innermost loops of the integer product. Sums of integers are exact, so vectors may run along
/// them.
///
/// Two products of at most 127 * 127 fit a signed short, so products are made and added in pairs as
/// shorts, and pairs are widened to the int32 lanes of the sum.
final class ByteTiles {
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, Lanes.FLOATS.vectorShape());
  private static final VectorSpecies<Byte> BYTES = Lanes.HALF_BYTES;
  private static final int LENGTH = SHORTS.length();

  /// How many elements a step of the loops takes: every row is filled up to a multiple of it.
  static final int STEP = 2 * LENGTH;

  private ByteTiles() {}

  /// sums(at + r) = the exact dot of one row of x and row r of four of the weight, `stride` apart.
  static void dots4(
      byte[] w, int wp, int stride, short[] x, int xp, int depth, int[] sums, int at) {
    IntVector s0 = IntVector.zero(Lanes.INTS);
    IntVector s1 = IntVector.zero(Lanes.INTS);
    IntVector s2 = IntVector.zero(Lanes.INTS);
    IntVector s3 = IntVector.zero(Lanes.INTS);
    for (int k = 0; k < depth; k += STEP) {
      ShortVector x0 = ShortVector.fromArray(SHORTS, x, xp + k);
      ShortVector x1 = ShortVector.fromArray(SHORTS, x, xp + k + LENGTH);
      s0 = s0.add(pairs(w, wp + k, x0, x1));
      s1 = s1.add(pairs(w, wp + stride + k, x0, x1));
      s2 = s2.add(pairs(w, wp + 2 * stride + k, x0, x1));
      s3 = s3.add(pairs(w, wp + 3 * stride + k, x0, x1));
    }
    sums[at] = s0.reduceLanes(VectorOperators.ADD);
    sums[at + 1] = s1.reduceLanes(VectorOperators.ADD);
    sums[at + 2] = s2.reduceLanes(VectorOperators.ADD);
    sums[at + 3] = s3.reduceLanes(VectorOperators.ADD);
  }

  /// As [#dots4] for one row of the weight.
  static int dot(byte[] w, int wp, short[] x, int xp, int depth) {
    IntVector s = IntVector.zero(Lanes.INTS);
    for (int k = 0; k < depth; k += STEP) {
      ShortVector x0 = ShortVector.fromArray(SHORTS, x, xp + k);
      ShortVector x1 = ShortVector.fromArray(SHORTS, x, xp + k + LENGTH);
      s = s.add(pairs(w, wp + k, x0, x1));
    }
    return s.reduceLanes(VectorOperators.ADD);
  }

  private static IntVector pairs(byte[] w, int wp, ShortVector x0, ShortVector x1) {
    ShortVector p0 = shorts(w, wp).mul(x0);
    ShortVector p1 = shorts(w, wp + LENGTH).mul(x1);
    IntVector pairs = p0.add(p1).reinterpretAsInts();
    IntVector low = pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
    return low.add(pairs.lanewise(VectorOperators.ASHR, 16));
  }

  private static ShortVector shorts(byte[] w, int at) {
    return ByteVector.fromArray(BYTES, w, at)
        .convertShape(VectorOperators.B2S, SHORTS, 0)
        .reinterpretAsShorts();
  }
}
