package io.rigmesh.worker.selftest;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.tensor.Tensor;
import java.util.stream.IntStream;

/// The numbers of a challenge, drawn by place: each can be asked for by itself, and none can be
/// told without the seed.
public final class SeededNumbers {
  private static final long MEMORY = 100;
  private static final long WEIGHTS = 101;
  private static final long INPUTS = 200;

  private SeededNumbers() {}

  /// Word `index` of the memory: one of four that Philox gives at `index / 4`.
  public static int word(long seed, long index) {
    return Philox.words(seed, MEMORY, index >>> 2)[(int) index & 3];
  }

  /// Writes the words `from` on into `words`.
  public static void fill(long seed, long from, int[] words) {
    IntStream.range(0, (words.length + 3) / 4)
        .parallel()
        .forEach(group -> {
          int[] block = Philox.words(seed, MEMORY, (from >>> 2) + group);
          System.arraycopy(block, 0, words, group * 4, Math.min(4, words.length - group * 4));
        });
  }

  /// The weight `(columns, depth)` of a profile's products.
  static Tensor weight(Challenge challenge, Profile profile) {
    return matrix(challenge, profile, WEIGHTS, challenge.columns());
  }

  /// The input `(rows, depth)` of product number `number`.
  static Tensor input(Challenge challenge, Profile profile, int number) {
    return matrix(challenge, profile, INPUTS + number, challenge.rows());
  }

  /// In f32-v1 numbers between -1 and 1. In i8-v1 whole numbers from -63 to 63 and one 127 in every
  /// row, so that quantising changes nothing and a product is a whole number.
  private static Tensor matrix(Challenge challenge, Profile profile, long stream, int rows) {
    int depth = challenge.depth();
    float[] data = new float[rows * depth];
    IntStream.range(0, rows)
        .parallel()
        .forEach(row -> {
          for (int k = 0; k < depth; k++) {
            long place = (long) row * depth + k;
            int word = Philox.words(challenge.seed(), stream, place >>> 2)[(int) place & 3];
            data[row * depth + k] =
                switch (profile) {
                  case F32_V1 -> (word >>> 8) * 0x1p-23f - 1f;
                  case I8_V1 -> k == row % depth ? 127f : Integer.remainderUnsigned(word, 127) - 63;
                };
          }
        });
    return Tensor.of(data, rows, depth);
  }
}
