package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.Kernels;

/// The split sums of some rows of weights: chains over the keys of a split, several rows side by
/// side since a chain alone waits for every addition.
final class SplitSums {
  private final float[] sums;

  SplitSums(int rowsMax) {
    sums = new float[rowsMax];
  }

  /// The sum of row `row` of the last call of [#compute].
  float sum(int row) {
    return sums[row];
  }

  /// Sums rows of `count` weights, `leading` apart, of which the first belongs to position `base`:
  /// splits are counted from position 0.
  void compute(float[] p, int at, int leading, int rows, int base, int count) {
    int start = 0;
    while (start < count) {
      int end = Math.min(count, ((base + start) / Kernels.SPLIT + 1) * Kernels.SPLIT - base);
      int row = 0;
      for (; row + 4 <= rows; row += 4) {
        four(p, at + row * leading, leading, row, start, end);
      }
      for (; row < rows; row++) {
        float sum = 0f;
        for (int j = start; j < end; j++) {
          sum += p[at + row * leading + j];
        }
        add(row, start, sum);
      }
      start = end;
    }
  }

  private void four(float[] p, int p0, int leading, int row, int start, int end) {
    int p1 = p0 + leading;
    int p2 = p1 + leading;
    int p3 = p2 + leading;
    float s0 = 0f;
    float s1 = 0f;
    float s2 = 0f;
    float s3 = 0f;
    for (int j = start; j < end; j++) {
      s0 += p[p0 + j];
      s1 += p[p1 + j];
      s2 += p[p2 + j];
      s3 += p[p3 + j];
    }
    add(row, start, s0);
    add(row + 1, start, s1);
    add(row + 2, start, s2);
    add(row + 3, start, s3);
  }

  private void add(int row, int start, float sum) {
    sums[row] = start == 0 ? sum : sums[row] + sum;
  }
}
