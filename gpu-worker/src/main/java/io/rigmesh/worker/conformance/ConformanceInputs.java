package io.rigmesh.worker.conformance;

import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Locale;

/// The inputs of a vector, drawn one after the other: element i of the t-th input comes from
/// Philox's words of (seed, stream t, position i), as docs/conformance.md says, so that anyone can
/// make them again.
final class ConformanceInputs {
  /// What the numbers are like.
  enum Kind {
    /// Between -1 and 1.
    ORDINARY,
    /// Rows of zeros of both signs, and many zeros elsewhere.
    ZEROS,
    /// So small that products and sums are subnormal.
    TINY,
    /// Magnitudes from 2^-30 to 2^30 beside each other.
    FAR_APART,
    /// Rows whose largest magnitude stands out or is everywhere.
    SATURATING,
    /// A few so large that results overflow.
    OVERFLOWING
  }

  private final Kind kind;
  private final long seed;
  private final Digest drawn = new Digest();
  private int next;

  ConformanceInputs(Kind kind, long seed) {
    this.kind = kind;
    this.seed = seed;
  }

  /// The next input, of `(rows, cols)`.
  Tensor matrix(int rows, int cols) {
    Tensor tensor = Tensor.zeros(rows, cols);
    int stream = next++;
    for (int i = 0; i < tensor.size(); i++) {
      tensor.set(i, element(Philox.words(seed, stream, i), i / cols, i % cols));
    }
    drawn.floats(tensor);
    return tensor;
  }

  /// The next input, of `(cols)`: a matrix of one row.
  Tensor vector(int cols) {
    return matrix(1, cols).reshape(cols);
  }

  /// The next input, `count` numbers from 0 to `limit`, excluded: the first word modulo the limit,
  /// unsigned.
  int[] integers(int count, int limit) {
    int[] values = new int[count];
    int stream = next++;
    for (int i = 0; i < count; i++) {
      values[i] = Integer.remainderUnsigned(Philox.words(seed, stream, i)[0], limit);
    }
    drawn.integers(values);
    return values;
  }

  /// The SHA-256 of all inputs so far, little-endian, in their order.
  String sha256() {
    return drawn.hex();
  }

  private float element(int[] words, int row, int col) {
    float u = uniform(words);
    return switch (kind) {
      case ORDINARY -> u;
      case ZEROS ->
          row % 3 == 1 || Integer.remainderUnsigned(words[1], 3) == 0
              ? ((words[2] & 1) == 0 ? 0f : -0f)
              : u;
      case TINY -> (words[1] & 3) == 0 ? u * 0x1p-75f * 0x1p-60f : u * 0x1p-75f;
      case FAR_APART -> u * power(Integer.remainderUnsigned(words[1], 61) - 30);
      case SATURATING -> {
        if (row % 2 == 0) {
          yield col == 1 ? -1000f : u;
        }
        yield (words[1] & 1) == 0 ? 3f : -3f;
      }
      case OVERFLOWING -> Integer.remainderUnsigned(words[1], 40) == 0 ? u * 0x1p127f : u;
    };
  }

  /// A multiple of 2^-23 from -1 to 1, the latter excluded.
  static float uniform(int[] words) {
    return (words[0] >>> 8) * 0x1p-23f - 1f;
  }

  /// A model's weight: a gain of a norm is 1 + u / 4, a bias u / 4, another weight u * 2^-e with e
  /// half the bits of its row's length, rounded down.
  static Tensor weight(long seed, int stream, String name, int... shape) {
    Tensor tensor = Tensor.zeros(shape);
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(tensor.cols());
    float factor = tensor.rank() == 1 ? 0.25f : power(-(bits / 2));
    float offset = name.toLowerCase(Locale.ROOT).endsWith("norm.weight") ? 1f : 0f;
    for (int i = 0; i < tensor.size(); i++) {
      tensor.set(i, offset + uniform(Philox.words(seed, stream, i)) * factor);
    }
    return tensor;
  }

  private static float power(int exponent) {
    return Float.intBitsToFloat((127 + exponent) << 23);
  }
}
