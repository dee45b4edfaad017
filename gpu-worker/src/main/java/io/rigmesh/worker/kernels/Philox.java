package io.rigmesh.worker.kernels;

/// Counter-based random numbers: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", 2011). The number at a place depends on the seed, the stream and
/// the position alone, so numbers need no order.
///
/// Key = seed (low word first); counter = position (low, high), stream (low, high).
public final class Philox {
  private static final int MULTIPLIER_0 = 0xD2511F53;
  private static final int MULTIPLIER_1 = 0xCD9E8D57;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private Philox() {}

  /// Replaces the four counter words in `block` by the four random words for `key`.
  public static void scramble(int[] block, int keyLow, int keyHigh) {
    int c0 = block[0];
    int c1 = block[1];
    int c2 = block[2];
    int c3 = block[3];
    int k0 = keyLow;
    int k1 = keyHigh;
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = Integer.toUnsignedLong(MULTIPLIER_0) * Integer.toUnsignedLong(c0);
      long product1 = Integer.toUnsignedLong(MULTIPLIER_1) * Integer.toUnsignedLong(c2);
      c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
      c1 = (int) product1;
      c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
      c3 = (int) product0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    block[0] = c0;
    block[1] = c1;
    block[2] = c2;
    block[3] = c3;
  }

  /// The four random words of a place.
  public static int[] words(long seed, long stream, long position) {
    int[] block = {(int) position, (int) (position >>> 32), (int) stream, (int) (stream >>> 32)};
    scramble(block, (int) seed, (int) (seed >>> 32));
    return block;
  }

  /// A uniform binary32 number in [0, 1): the upper 24 bits of the first word, times 2^-24,
  /// exactly.
  public static float uniform(long seed, long stream, long position) {
    return (words(seed, stream, position)[0] >>> 8) * 0x1p-24f;
  }

  /// A standard normal number by Box and Muller's transform in double with StrictMath, rounded
  /// once.
  public static float gaussian(long seed, long stream, long position) {
    int[] words = words(seed, stream, position);
    double u = (Integer.toUnsignedLong(words[0]) + 1.0) * 0x1p-32;
    double v = Integer.toUnsignedLong(words[1]) * 0x1p-32;
    return (float)
        (StrictMath.sqrt(-2.0 * StrictMath.log(u)) * StrictMath.cos(2.0 * StrictMath.PI * v));
  }
}
