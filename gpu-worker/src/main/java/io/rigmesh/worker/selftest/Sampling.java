package io.rigmesh.worker.selftest;

import io.rigmesh.worker.kernels.Philox;

/// What follows from a question's seed: both sides draw the same places from it.
final class Sampling {
  private static final long WORDS = 300;
  private static final long PRODUCT = 301;
  private static final long ELEMENTS = 302;
  private static final long VECTOR = 303;

  private Sampling() {}

  /// The places in memory.
  static long[] words(SelfTestQuestion question, Challenge challenge) {
    long[] places = new long[question.words()];
    for (int i = 0; i < places.length; i++) {
      places[i] = Long.remainderUnsigned(draw(question, WORDS, i), challenge.words());
    }
    return places;
  }

  /// Which of the products is shown.
  static int product(SelfTestQuestion question, Challenge challenge) {
    return (int) Long.remainderUnsigned(draw(question, PRODUCT, 0), challenge.products());
  }

  /// An element of a product, row-major.
  static int element(SelfTestQuestion question, Challenge challenge, int index) {
    long elements = (long) challenge.rows() * challenge.columns();
    return (int) Long.remainderUnsigned(draw(question, ELEMENTS, index), elements);
  }

  /// Element `index` of Freivalds' vector, below `limit`.
  static long vector(SelfTestQuestion question, int index, long limit) {
    return Long.remainderUnsigned(draw(question, VECTOR, index), limit);
  }

  private static long draw(SelfTestQuestion question, long stream, long index) {
    int[] words = Philox.words(question.seed(), stream, index);
    return (long) words[1] << 32 | (words[0] & 0xffffffffL);
  }
}
