package io.rigmesh.worker.kernels.vector;

/// Transposed copies.
final class Transpose {
  /// A block is so many rows and columns: its lines fit the first-level cache even where the
  /// strides are multiples of 4 KiB and all of them fall into one set.
  private static final int BLOCK = 8;

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
    int blockRows = rows - rows % BLOCK;
    int blockCols = cols - cols % BLOCK;
    for (int r = 0; r < blockRows; r += BLOCK) {
      for (int c = 0; c < blockCols; c += BLOCK) {
        block(
            source,
            from + r * sourceStride + c,
            sourceStride,
            target,
            to + c * targetStride + r,
            targetStride);
      }
    }
    for (int r = 0; r < rows; r++) {
      for (int c = r < blockRows ? blockCols : 0; c < cols; c++) {
        target[to + c * targetStride + r] = source[from + r * sourceStride + c];
      }
    }
  }

  private static void block(
      float[] source, int from, int sourceStride, float[] target, int to, int targetStride) {
    for (int c = 0; c < BLOCK; c++) {
      int s = from + c;
      int t = to + c * targetStride;
      target[t] = source[s];
      target[t + 1] = source[s + sourceStride];
      target[t + 2] = source[s + 2 * sourceStride];
      target[t + 3] = source[s + 3 * sourceStride];
      target[t + 4] = source[s + 4 * sourceStride];
      target[t + 5] = source[s + 5 * sourceStride];
      target[t + 6] = source[s + 6 * sourceStride];
      target[t + 7] = source[s + 7 * sourceStride];
    }
  }
}
