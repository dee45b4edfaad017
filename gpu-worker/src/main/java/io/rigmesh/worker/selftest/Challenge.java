package io.rigmesh.worker.selftest;

import io.rigmesh.worker.kernels.QuantisedRows;

/// What a device is asked to do; whoever asks chooses a seed that nobody could have prepared for.
///
/// @param seed of all numbers
/// @param memoryBytes how much memory is filled, a multiple of 4
/// @param passes how often it is gone through
/// @param rows T of every matrix product
/// @param columns N of every matrix product
/// @param depth K of every matrix product
/// @param products how many products are timed in each profile
public record Challenge(
    long seed, long memoryBytes, int passes, int rows, int columns, int depth, int products) {
  /// Refuses work that cannot be done or says nothing.
  public Challenge {
    if (memoryBytes < Integer.BYTES || memoryBytes % Integer.BYTES != 0 || passes < 1) {
      throw new IllegalArgumentException(
          "A self-test fills a multiple of 4 bytes and goes through them at least once, not %d bytes %d times."
              .formatted(memoryBytes, passes));
    }
    if (rows < 1 || columns < 1 || depth < 1 || depth > QuantisedRows.COLS_MAX || products < 1) {
      throw new IllegalArgumentException(
          "A self-test multiplies matrices of at least one element and a depth of at most %d, not (%d, %d) by (%d, %d), %d times."
              .formatted(QuantisedRows.COLS_MAX, rows, depth, columns, depth, products));
    }
  }

  /// How many words are filled.
  public long words() {
    return memoryBytes / Integer.BYTES;
  }

  /// The multiplications and additions of one product.
  public double operations() {
    return 2.0 * rows * columns * depth;
  }
}
