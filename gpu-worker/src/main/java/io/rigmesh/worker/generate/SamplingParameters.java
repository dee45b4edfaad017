package io.rigmesh.worker.generate;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// How the next token is chosen from the logits; [Sampler] says what that means to the bit.
///
/// @param temperature 0 takes the most likely token always; otherwise what logits are divided by
/// @param topK how many of the most likely tokens are considered, 0 for all
/// @param topP the smallest set of the most likely tokens with at least this share of the
///   probability is considered, 1 for all
/// @param minP tokens less likely than this share of the likeliest one's probability are not
///   considered, 0 for all
/// @param penalties what tokens pay that stand in the text already
/// @param bias what is added to the logits of single tokens
/// @param seed the key of all random numbers
public record SamplingParameters(
    float temperature,
    int topK,
    float topP,
    float minP,
    Penalties penalties,
    SortedMap<Integer, Float> bias,
    long seed) {
  /// Below this a positive temperature would overflow what it divides.
  private static final float TEMPERATURE_MIN = 1e-3f;

  private static final float TEMPERATURE_MAX = 100f;
  private static final float BIAS_MAX = 1e4f;

  /// What tokens pay that stand in the text already.
  ///
  /// @param repetition what a positive logit of a token of the prompt or the text is divided by and
  ///   any other multiplied with, from 0.01 to 100; 1 for nothing
  /// @param presence what is taken from the logit of every generated token, from -100 to 100
  /// @param frequency what is taken from it for every time that it was generated, from -100 to 100
  public record Penalties(float repetition, float presence, float frequency) {
    /// Nothing is paid.
    public static final Penalties NONE = new Penalties(1f, 0f, 0f);

    /// Refuses what would overflow or turn signs around.
    public Penalties {
      if (!(repetition >= 0.01f && repetition <= 100f)) {
        throw new IllegalArgumentException(
            "repetitionPenalty=" + repetition + " must be from 0.01 to 100 (1 is none).");
      }
      if (!(Math.abs(presence) <= 100f) || !(Math.abs(frequency) <= 100f)) {
        throw new IllegalArgumentException(
            "presencePenalty=%s and frequencyPenalty=%s must be from -100 to 100 (0 is none)."
                .formatted(presence, frequency));
      }
    }

    /// Whether nothing is paid.
    public boolean isNone() {
      return repetition == 1f && presence == 0f && frequency == 0f;
    }
  }

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
    if (!(minP >= 0f && minP <= 1f)) {
      throw new IllegalArgumentException("minP=" + minP + " must be from 0 (all) to 1.");
    }
    bias = Collections.unmodifiableSortedMap(new TreeMap<>(bias));
    for (Map.Entry<Integer, Float> entry : bias.entrySet()) {
      if (entry.getKey() < 0 || !(Math.abs(entry.getValue()) <= BIAS_MAX)) {
        throw new IllegalArgumentException(
            "A bias of %s for token %d is none: tokens count from 0, and a bias is from -%s to %s."
                .formatted(entry.getValue(), entry.getKey(), BIAS_MAX, BIAS_MAX));
      }
    }
  }

  /// Without penalties, bias and minP.
  public SamplingParameters(float temperature, int topK, float topP, long seed) {
    this(temperature, topK, topP, 0f, Penalties.NONE, new TreeMap<>(), seed);
  }

  /// The most likely token, always.
  public static SamplingParameters greedy() {
    return new SamplingParameters(0f, 0, 1f, 0L);
  }

  /// Whether the token is the largest of the logits as the model gives them, so that nobody needs
  /// to see the others.
  public boolean isArgmax() {
    return temperature == 0f && penalties.isNone() && bias.isEmpty();
  }
}
