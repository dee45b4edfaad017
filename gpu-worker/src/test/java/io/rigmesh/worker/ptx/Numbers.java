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
    OVERFLOWING,
    /// One of the inputs holds a few NaN already.
    NAN(Float.NaN),
    /// The same with the sign that NaN seldom has.
    NEGATIVE_NAN(Float.intBitsToFloat(0xffc00000)),
    /// One of the inputs holds a few +Infinity already.
    INFINITE(Float.POSITIVE_INFINITY),
    /// The same with -Infinity.
    NEGATIVE_INFINITE(Float.NEGATIVE_INFINITY);

    private final float guest;

    Kind() {
      this(0f);
    }

    Kind(float guest) {
      this.guest = guest;
    }

    /// Whether inputs are finite, as all are that a model's steps see.
    boolean finite() {
      return Float.isFinite(guest);
    }

    /// The value that no finite input holds; 0 for the kinds that are finite.
    float guest() {
      return guest;
    }
  }

  /// How many tensors a check draws at most: any of them may be the one that is not finite.
  static final int DRAWN_MAX = 8;

  private final Kind kind;
  private final Random random;
  private final int notFinite;
  private int drawn;

  /// @param seed of the numbers; of the kinds that are not finite it also says which tensor holds
  ///   what is not, as seed mod [#DRAWN_MAX] in the order in which they are drawn
  Numbers(Kind kind, long seed) {
    this.kind = kind;
    this.random = new Random(seed);
    this.notFinite = (int) (seed % DRAWN_MAX);
  }

  /// Whether so many tensors were drawn that one of them held what is not finite.
  boolean reached() {
    return drawn > notFinite;
  }

  Random random() {
    return random;
  }

  /// A tensor of `(rows, cols)`.
  Tensor matrix(int rows, int cols) {
    Tensor tensor = finite(rows, cols);
    if (drawn++ == notFinite && !kind.finite()) {
      for (int i = 0; i < 3; i++) {
        tensor.set(random.nextInt(tensor.size()), kind.guest());
      }
    }
    return tensor;
  }

  /// A tensor of `(rows, cols)` without NaN and infinity, as weights are that were loaded.
  Tensor finite(int rows, int cols) {
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
      case ORDINARY, NAN, NEGATIVE_NAN, INFINITE, NEGATIVE_INFINITE -> x;
      case ZEROS -> row % 3 == 1 || random.nextInt(3) == 0 ? (random.nextBoolean() ? 0f : -0f) : x;
      case TINY -> x * 0x1p-75f * (random.nextInt(4) == 0 ? 0x1p-60f : 1f);
      case FAR_APART -> x * (float) StrictMath.pow(2, random.nextInt(61) - 30);
      case SATURATING -> row % 2 == 0 ? (col == 1 ? -1000f : x) : (random.nextBoolean() ? 3f : -3f);
      case OVERFLOWING -> random.nextInt(40) == 0 ? x * 0x1p126f : x;
    };
  }
}
