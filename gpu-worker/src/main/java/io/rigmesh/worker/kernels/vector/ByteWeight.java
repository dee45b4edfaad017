package io.rigmesh.worker.kernels.vector;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.PackedWeight;

/// A weight of profile i8-v1: its rows in 8-bit integers, `stride` apart and filled up with zeros,
/// which change no integer sum.
///
/// @param stride a multiple of [ByteTiles#STEP]
/// @param rows `(out, stride)`
/// @param scales `(out)`
// Operands of a product, never compared: the arrays are the point.
@SuppressWarnings("ArrayRecordComponent")
record ByteWeight(int in, int out, int stride, byte[] rows, float[] scales)
    implements PackedWeight {
  @Override
  public Profile profile() {
    return Profile.I8_V1;
  }

  static int strideFor(int in) {
    return (in + ByteTiles.STEP - 1) / ByteTiles.STEP * ByteTiles.STEP;
  }
}
