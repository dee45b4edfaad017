package io.rigmesh.worker.conformance;

import io.rigmesh.worker.kernels.Philox;
import java.util.List;
import java.util.stream.IntStream;

/// The tokens of a suite's texts, drawn by place from the model's seed.
final class DrawnTokens {
  /// The stream of the first text; the weights have those below.
  private static final int FIRST_STREAM = 1000;

  private DrawnTokens() {}

  /// The tokens of text number `text`.
  static List<Integer> of(long seed, int text, int length, int vocabularySize) {
    return IntStream.range(0, length)
        .mapToObj(i ->
            Integer.remainderUnsigned(
                Philox.words(seed, FIRST_STREAM + text, i)[0], vocabularySize))
        .toList();
  }
}
