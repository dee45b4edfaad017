package io.rigmesh.worker.llama;

import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.OptionalInt;

/// Small models and tokens for tests.
public final class LlamaFixtures {
  private static final long TEST_STREAM = 1L << 60;

  private LlamaFixtures() {}

  /// A model of two layers with grouped heads, whose sizes are no multiples of any vector width.
  public static LlamaConfig odd(boolean tiedHead) {
    return config(97, 36, 2, 6, 2, 10, 52, 40, tiedHead);
  }

  /// A configuration without special tokens.
  public static LlamaConfig config(
      int vocabularySize,
      int hiddenSize,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int feedForwardSize,
      int positionsMax,
      boolean tiedHead) {
    return new LlamaConfig(
        vocabularySize,
        hiddenSize,
        layers,
        heads,
        kvHeads,
        headDim,
        feedForwardSize,
        positionsMax,
        10_000.0,
        1e-5f,
        tiedHead,
        OptionalInt.empty(),
        List.of());
  }

  /// Weights large enough for every part of the model to matter, gains spread around 1.
  public static LlamaParameters lively(LlamaConfig config, long seed) {
    LlamaParameters parameters = LlamaParameters.zeros(config);
    int lane = 0;
    for (Tensor tensor : parameters.named().values()) {
      float deviation = tensor.rank() == 1 ? 0.2f : (float) (1.0 / Math.sqrt(tensor.cols()));
      float mean = tensor.rank() == 1 ? 1f : 0f;
      for (int i = 0; i < tensor.size(); i++) {
        tensor.set(i, mean + deviation * Philox.gaussian(seed, TEST_STREAM + lane, i));
      }
      lane++;
    }
    return parameters;
  }

  /// Random tokens of a vocabulary.
  public static int[] tokens(int count, int vocabularySize, long seed) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = (int) (Philox.uniform(seed, TEST_STREAM - 1, i) * vocabularySize);
    }
    return tokens;
  }

  /// Tokens that a model can learn to predict: each follows from the one before, but for some
  /// noise.
  public static int[] learnable(int count, int vocabularySize, long seed) {
    int[] tokens = new int[count];
    for (int i = 1; i < count; i++) {
      boolean noise = Philox.uniform(seed, TEST_STREAM - 2, i) < 0.2f;
      tokens[i] =
          noise
              ? (int) (Philox.uniform(seed, TEST_STREAM - 3, i) * vocabularySize)
              : (tokens[i - 1] * 5 + 3) % vocabularySize;
    }
    return tokens;
  }

  /// The bits of every element, so that -0 differs from +0.
  public static int[] bits(Tensor tensor) {
    int[] bits = new int[tensor.size()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(tensor.get(i));
    }
    return bits;
  }
}
