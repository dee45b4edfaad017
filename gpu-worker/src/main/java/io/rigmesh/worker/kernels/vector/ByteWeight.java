package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.PackedWeight;

/// A weight of profile i8-v1 in panels of 8-bit integers: panel p, element (k, j) of weight row `p
/// * PANEL + j` at `(p * depth + k) * PANEL + j`. Missing rows, and the last k where `in` is odd,
///   are zeros, which change no integer sum.
///
/// @param depth `in`, or one more where that is odd
/// @param panels the integers
/// @param scales `(panels * PANEL)`, +0 for missing rows
// Operands of a product, never compared: the arrays are the point.
@SuppressWarnings("ArrayRecordComponent")
record ByteWeight(int in, int out, int depth, byte[] panels, float[] scales)
    implements PackedWeight {
  /// How many k a panel has for rows of `in` elements: pairs of them are multiplied.
  static int depth(int in) {
    return in + in % 2;
  }

  /// A weight of zeros.
  static ByteWeight zeros(int in, int out) {
    int depth = depth(in);
    int cols = Panels.count(out) * PANEL;
    return new ByteWeight(
        in, out, depth, new byte[Math.multiplyExact(cols, depth)], new float[cols]);
  }

  @Override
  public Profile profile() {
    return Profile.I8_V1;
  }

  /// How many panels there are, the last perhaps not full.
  int panelCount() {
    return Panels.count(out);
  }
}
