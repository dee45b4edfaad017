package io.rigmesh.worker.kernels;

/// The orders of summation, one element after the other.
final class ScalarSums {
  private ScalarSums() {}

  /// The block dot of n pairs, the elements being `strideA` and `strideB` apart: an fma chain from
  /// +0 in each block of 512, the blocks added in ascending order to the first.
  static float blockDot(
      float[] a, int offsetA, int strideA, float[] b, int offsetB, int strideB, int n) {
    return dot(a, offsetA, strideA, b, offsetB, strideB, n, Kernels.BLOCK);
  }

  /// As [#blockDot] with blocks of `block`.
  static float dot(
      float[] a, int offsetA, int strideA, float[] b, int offsetB, int strideB, int n, int block) {
    float total = 0f;
    for (int start = 0; start < n; start += block) {
      float sum = 0f;
      for (int k = start; k < Math.min(n, start + block); k++) {
        sum = Math.fma(a[offsetA + k * strideA], b[offsetB + k * strideB], sum);
      }
      total = start == 0 ? sum : total + sum;
    }
    return total;
  }

  /// The sum of n elements `stride` apart in blocks: a chain of additions from +0 in each, the
  /// blocks added to the first.
  static float sum(float[] a, int offset, int stride, int n, int block) {
    float total = 0f;
    for (int start = 0; start < n; start += block) {
      float sum = 0f;
      for (int k = start; k < Math.min(n, start + block); k++) {
        sum = sum + a[offset + k * stride];
      }
      total = start == 0 ? sum : total + sum;
    }
    return total;
  }

  /// The lane sum of n elements: 256 lanes from +0, then the halving tree.
  static float laneSum(float[] x, int offset, int n) {
    float[] lanes = new float[Kernels.LANES];
    for (int i = 0; i < n; i++) {
      lanes[i % Kernels.LANES] += x[offset + i];
    }
    return tree(lanes);
  }

  /// The lane sum of n products, each lane an fma chain from +0.
  static float laneDot(float[] a, int offsetA, float[] b, int offsetB, int n) {
    float[] lanes = new float[Kernels.LANES];
    for (int i = 0; i < n; i++) {
      int lane = i % Kernels.LANES;
      lanes[lane] = Math.fma(a[offsetA + i], b[offsetB + i], lanes[lane]);
    }
    return tree(lanes);
  }

  private static float tree(float[] lanes) {
    for (int half = lanes.length / 2; half > 0; half /= 2) {
      for (int j = 0; j < half; j++) {
        lanes[j] = lanes[j] + lanes[j + half];
      }
    }
    return lanes[0];
  }

  /// The largest of n elements; equal ones are the same, +0 and -0 included, wherever it is used.
  static float max(float[] x, int offset, int n) {
    float max = x[offset];
    for (int i = 1; i < n; i++) {
      if (x[offset + i] > max) {
        max = x[offset + i];
      }
    }
    return max;
  }
}
