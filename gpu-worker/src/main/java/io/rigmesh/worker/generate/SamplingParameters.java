package io.rigmesh.worker.generate;

/// How the next token is chosen from the logits; [Sampler] says what that means to the bit.
///
/// @param temperature 0 takes the most likely token always; otherwise what logits are divided by
/// @param topK how many of the most likely tokens are considered, 0 for all
/// @param topP the smallest set of the most likely tokens with at least this share of the
///   probability is considered, 1 for all
/// @param seed the key of all random numbers
public record SamplingParameters(float temperature, int topK, float topP, long seed) {
  /// Below this a positive temperature would overflow what it divides.
  private static final float TEMPERATURE_MIN = 1e-3f;

  private static final float TEMPERATURE_MAX = 100f;

  /// Refuses values that choose nothing.
  public SamplingParameters {
    if (temperature != 0f && !(temperature >= TEMPERATURE_MIN && temperature <= TEMPERATURE_MAX)) {
      throw new IllegalArgumentException(
          "temperature=%s must be 0 (the most likely token) or from %s to %s."
              .formatted(temperature, TEMPERATURE_MIN, TEMPERATURE_MAX));
    }
    if (topK < 0) {
      throw new IllegalArgumentException("topK=" + topK + " must be at least 0 (0 is all).");
    }
    if (!(topP > 0f && topP <= 1f)) {
      throw new IllegalArgumentException(
          "topP=" + topP + " must be above 0 and at most 1 (1 is all).");
    }
  }

  /// The most likely token, always.
  public static SamplingParameters greedy() {
    return new SamplingParameters(0f, 0, 1f, 0L);
  }
}
