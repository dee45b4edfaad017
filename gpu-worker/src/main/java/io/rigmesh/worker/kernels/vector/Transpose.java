package io.rigmesh.worker.kernels.vector;

/// Transposed copies.
final class Transpose {
  private static final int STEP = 16;

  private Transpose() {}

  /// `target[c * targetStride + r] = source[r * sourceStride + c]` for `rows` rows and `cols`
  /// columns of the source.
  static void copy(
      float[] source,
      int from,
      int sourceStride,
      int rows,
      int cols,
      float[] target,
      int to,
      int targetStride) {
    for (int c0 = 0; c0 < cols; c0 += STEP) {
      int c1 = Math.min(cols, c0 + STEP);
      for (int r = 0; r < rows; r++) {
        int s = from + r * sourceStride;
        int t = to + r;
        for (int c = c0; c < c1; c++) {
          target[t + c * targetStride] = source[s + c];
        }
      }
    }
  }
}
