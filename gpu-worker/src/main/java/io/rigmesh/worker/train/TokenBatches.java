package io.rigmesh.worker.train;

import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.llama.RandomStream;

/// The batches of a run: windows of one long stream of tokens, each chosen by its seed, step and
/// row alone.
///
/// Row r of step s starts at `floor(x * starts / 2^64)`, with x the first two words (low word
/// first) of [Philox] at position s of lane r of [RandomStream#BATCHES], and `starts` the number of
/// places at which a window fits. So any step can be recomputed without those before it. Immutable,
/// as long as the tokens are left alone.
public final class TokenBatches {
  private final int[] tokens;
  private final long seed;
  private final int batch;
  private final int length;

  /// @param tokens the training text, at least `plan.length() + 1` tokens; not copied
  public TokenBatches(int[] tokens, TrainingPlan plan) {
    if (tokens.length <= plan.length()) {
      throw new IllegalArgumentException(
          "The training text has %d tokens, but windows of %d need at least %d; give more text or shorter windows."
              .formatted(tokens.length, plan.length(), plan.length() + 1));
    }
    this.tokens = tokens;
    this.seed = plan.seed();
    this.batch = plan.batch();
    this.length = plan.length();
  }

  /// Where in the stream the window of a row begins.
  public int start(int step, int row) {
    int[] words = Philox.words(seed, RandomStream.BATCHES.lane(row), step);
    long bits = Integer.toUnsignedLong(words[0]) | (long) words[1] << 32;
    int starts = tokens.length - length;
    return (int) Math.unsignedMultiplyHigh(bits, starts);
  }

  /// Writes the inputs of a step and what each is to predict, both `batch * length` long, row after
  /// row.
  public void fill(int step, int[] inputs, int[] targets) {
    for (int row = 0; row < batch; row++) {
      int start = start(step, row);
      System.arraycopy(tokens, start, inputs, row * length, length);
      System.arraycopy(tokens, start + 1, targets, row * length, length);
    }
  }
}
