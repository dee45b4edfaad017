package io.rigmesh.worker.bench;

import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.train.TrainingPlan;
import java.util.List;
import java.util.OptionalInt;

/// The small language model that the quickstart trains: about one million parameters, a minute or
/// less of two cores.
public final class QuickstartModel {
  /// How many tokens its byte-level BPE tokenizer is to have.
  public static final int VOCABULARY_SIZE = 2048;

  /// How many tokens it sees at once.
  public static final int CONTEXT = 128;

  /// How many windows of the text go into one step.
  public static final int BATCH = 8;

  private static final double LEARNING_RATE = 3e-3;

  private QuickstartModel() {}

  /// Its sizes, for a tokenizer that may have become smaller than [#VOCABULARY_SIZE] on a short
  /// text.
  ///
  /// @param vocabularySize the tokenizer's number of tokens
  /// @param endTokenId the tokenizer's token for the end of a text
  public static LlamaConfig config(int vocabularySize, int endTokenId) {
    return new LlamaConfig(
        vocabularySize,
        128,
        4,
        4,
        2,
        32,
        352,
        CONTEXT,
        10_000.0,
        1e-5f,
        true,
        OptionalInt.of(endTokenId),
        List.of(endTokenId));
  }

  /// How it is trained; 300 steps give recognisable text.
  public static TrainingPlan plan(long seed, int steps) {
    return TrainingPlan.usual(seed, steps, BATCH, CONTEXT, LEARNING_RATE);
  }
}
