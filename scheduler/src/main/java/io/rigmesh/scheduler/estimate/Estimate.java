package io.rigmesh.scheduler.estimate;

import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.scheduler.pricing.Pricing;

/// What a job will want, reckoned from its task and its model. Bounds from above where that is
/// cheap, and good to a factor of two elsewhere; capacity is what the worker reports, and a job
/// that needs more than was reckoned fails alone.
///
/// @param memoryBytes memory on the device at its peak
/// @param operations floating-point operations
public record Estimate(long memoryBytes, double operations) {
  /// What a worker needs besides tensors: tokenizer, buffers, the process's own share.
  private static final long FIXED_BYTES = 32L << 20;

  private static final int FLOAT_BYTES = 4;

  /// The longest sequence that a sentence is cut to, of BERT-family encoders.
  private static final int SENTENCE_TOKENS_MAX = 512;

  /// Reckons for a task on a model.
  ///
  /// @param profile the arithmetic, which decides how large a weight is
  /// @param inputBytes the input blob's length
  public static Estimate of(Task task, ModelShape model, Profile profile, long inputBytes) {
    Meter meter = Pricing.meterMax(task, inputBytes);
    double tokens = (double) meter.tokensIn() + meter.tokensOut();
    return switch (task) {
      case Task.Train t -> {
        // Weights, gradients and two moments; per token the tensors that the backward pass reads:
        // about eight of the residual's width, three of the feed-forward's, two of the attention's
        // keys and values, and the logits with their gradient.
        double state = 4.0 * model.parameters() * FLOAT_BYTES;
        double perToken =
            model.layers() * (8.0 * model.dim() + 3.0 * model.ffnDim() + 4.0 * model.kvDim())
                + 2.0 * model.vocabulary();
        double activations = (double) t.batch() * t.context() * perToken * FLOAT_BYTES;
        // Forward two operations per parameter and token, backward twice that; and attention.
        double attention = 12.0 * model.layers() * model.dim() * t.context();
        yield estimate(state + activations, tokens * (6.0 * model.parameters() + attention));
      }
      case Task.Generate _ -> {
        double cache = 2.0 * model.layers() * model.kvDim() * tokens * FLOAT_BYTES;
        double weights = weightBytes(model, profile);
        double attention = 2.0 * model.layers() * model.dim() * tokens;
        yield estimate(weights + cache, tokens * (2.0 * model.parameters() + attention));
      }
      case Task.Embed _ -> {
        double weights = weightBytes(model, profile);
        double perToken = 8.0 * model.dim() + 2.0 * model.ffnDim();
        double activations = SENTENCE_TOKENS_MAX * perToken * FLOAT_BYTES;
        double vectors = (double) meter.steps() * model.dim() * FLOAT_BYTES;
        yield estimate(weights + activations + vectors, tokens * 2.0 * model.parameters());
      }
    };
  }

  /// In i8-v1 a weight is a byte, but the table of embeddings is looked up in floats.
  private static double weightBytes(ModelShape model, Profile profile) {
    return switch (profile) {
      case F32_V1 -> (double) model.parameters() * FLOAT_BYTES;
      case I8_V1 -> model.parameters() + (double) model.vocabulary() * model.dim() * FLOAT_BYTES;
    };
  }

  private static Estimate estimate(double bytes, double operations) {
    // A double beyond the range becomes the largest long, which no device has.
    return new Estimate((long) (bytes + FIXED_BYTES), operations);
  }
}
