package io.rigmesh.worker.ptx;

import io.rigmesh.worker.tensor.Tensor;
import java.util.Random;

/// Inputs of one kind, by seed: the kinds are those at which arithmetic that is almost right goes
/// wrong.
final class Numbers {
  /// What the numbers are like.
  enum Kind {
    ORDINARY,
    /// Some rows are +0 or -0 everywhere, others have many zeros of both signs.
    ZEROS,
    /// So small that products and sums are subnormal.
    TINY,
    /// Magnitudes between 2^-30 and 2^30 beside each other.
    FAR_APART,
    /// Rows whose largest magnitude stands out, or that are as large everywhere.
    SATURATING,
    /// A few so large that results overflow: the fault has to name the first.
    OVERFLOWING
  }

  private final Kind kind;
  private final Random random;

  Numbers(Kind kind, long seed) {
    this.kind = kind;
    this.random = new Random(seed);
  }

  Random random() {
    return random;
  }

  /// A tensor of `(rows, cols)`.
  Tensor matrix(int rows, int cols) {
    float[] data = new float[rows * cols];
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        data[row * cols + col] = element(row, col);
      }
    }
    return Tensor.of(data, rows, cols);
  }

  /// A tensor of `(cols)`.
  Tensor vector(int cols) {
    return matrix(1, cols).reshape(cols);
  }

  private float element(int row, int col) {
    float x = (float) random.nextGaussian();
    return switch (kind) {
      case ORDINARY -> x;
      case ZEROS -> row % 3 == 1 || random.nextInt(3) == 0 ? (random.nextBoolean() ? 0f : -0f) : x;
      case TINY -> x * 0x1p-75f * (random.nextInt(4) == 0 ? 0x1p-60f : 1f);
      case FAR_APART -> x * (float) StrictMath.pow(2, random.nextInt(61) - 30);
      case SATURATING -> row % 2 == 0 ? (col == 1 ? -1000f : x) : (random.nextBoolean() ? 3f : -3f);
      case OVERFLOWING -> random.nextInt(40) == 0 ? x * 0x1p126f : x;
    };
  }
}
