package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;

/// The rows of a tensor in 8-bit integers, as profile i8-v1 has them on both sides of a linear
/// layer: a row's scale is amax / 127, amax being its largest magnitude, and its element x becomes
/// x / scale, rounded half to even and limited to -127 and 127. A row whose scale is +0 (amax is 0
/// or too small to be divided) is 0 everywhere.
///
/// The reference that every backend's quantisation is tested against, and what a loader may use
/// where speed does not matter.
///
/// @param rows how many rows
/// @param cols the length of a row
/// @param values `(rows, cols)`, row-major
/// @param scales `(rows)`
// Operands of a product, never compared: the arrays are the point.
@SuppressWarnings("ArrayRecordComponent")
public record QuantisedRows(int rows, int cols, byte[] values, float[] scales) {
  /// The largest magnitude of a quantised element.
  public static final int LIMIT = 127;

  /// The longest row: 131,072 products of at most 127 * 127 fit an int32.
  public static final int COLS_MAX = 131_072;

  /// Quantises all rows of x.
  ///
  /// @throws NonFiniteException naming `quantise` and the row that holds NaN or infinity
  public static QuantisedRows of(Tensor x) {
    int rows = x.rowCount();
    int cols = x.cols();
    byte[] values = new byte[x.size()];
    float[] scales = new float[rows];
    for (int row = 0; row < rows; row++) {
      float amax = 0f;
      for (int col = 0; col < cols; col++) {
        float magnitude = Math.abs(x.get(row, col));
        NonFiniteException.check("quantise", row, magnitude);
        amax = Math.max(amax, magnitude);
      }
      float scale = amax / LIMIT;
      scales[row] = scale;
      for (int col = 0; col < cols; col++) {
        values[row * cols + col] = quantised(x.get(row, col), scale);
      }
    }
    return new QuantisedRows(rows, cols, values, scales);
  }

  /// One element of a row with that scale.
  static byte quantised(float x, float scale) {
    if (scale == 0f) {
      return 0;
    }
    float quotient = x / scale;
    return (byte) Math.max(-LIMIT, Math.min(LIMIT, (int) Math.rint(quotient)));
  }

  /// The exact sum of the products of a row of this and a row of `other`, which is as long.
  int dot(int row, QuantisedRows other, int otherRow) {
    int sum = 0;
    for (int k = 0; k < cols; k++) {
      sum += values[row * cols + k] * other.values[otherRow * cols + k];
    }
    return sum;
  }
}
