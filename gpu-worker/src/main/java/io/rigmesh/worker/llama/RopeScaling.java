package io.rigmesh.worker.llama;

/// How the rotary frequencies of a model were stretched to make it fit for longer texts than it was
/// first trained on. Everything is computed in double with StrictMath; the table of cosines and
/// sines rounds once.
///
/// Source: Hugging Face transformers, `modeling_rope_utils.py`, for what the fields of
/// `rope_scaling` mean.
public sealed interface RopeScaling {

  /// The angle per position, in radians, of each pair of a head's components, `headDim / 2` of
  /// them.
  double[] frequencies(int headDim, double theta);

  /// What cosines and sines are multiplied by; attention scores grow by its square.
  default double amplitude() {
    return 1.0;
  }

  /// Nothing is stretched: pair i turns by theta^(-2i / headDim).
  record None() implements RopeScaling {
    @Override
    public double[] frequencies(int headDim, double theta) {
      double[] frequencies = new double[headDim / 2];
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] = StrictMath.pow(theta, -2.0 * i / headDim);
      }
      return frequencies;
    }
  }

  /// All frequencies are divided by one factor (Chen et al., 2023, arXiv:2306.15595).
  ///
  /// @param factor how much longer texts may be, at least 1
  record Linear(double factor) implements RopeScaling {
    public Linear {
      atLeastOne("factor", factor);
    }

    @Override
    public double[] frequencies(int headDim, double theta) {
      double[] frequencies = new None().frequencies(headDim, theta);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] /= factor;
      }
      return frequencies;
    }
  }

  /// Llama 3.1: long waves are divided by the factor, short ones kept, those between blended in
  /// proportion to how often they turn within the original length.
  ///
  /// @param factor what long waves are stretched by, at least 1
  /// @param lowTurns waves that turn less often than this within the original length are long
  ///   (low_freq_factor)
  /// @param highTurns waves that turn more often than this are short (high_freq_factor)
  /// @param originalPositions the length that was trained first (original_max_position_embeddings)
  record Llama3(double factor, double lowTurns, double highTurns, int originalPositions)
      implements RopeScaling {
    public Llama3 {
      atLeastOne("factor", factor);
      require(
          lowTurns > 0 && highTurns > lowTurns && Double.isFinite(highTurns),
          "low_freq_factor="
              + lowTurns
              + " must be positive and less than high_freq_factor="
              + highTurns);
      require(originalPositions >= 1, "original_max_position_embeddings must be at least 1");
    }

    @Override
    public double[] frequencies(int headDim, double theta) {
      double[] frequencies = new None().frequencies(headDim, theta);
      for (int i = 0; i < frequencies.length; i++) {
        double turns = originalPositions * frequencies[i] / (2 * Math.PI);
        if (turns < lowTurns) {
          frequencies[i] /= factor;
        } else if (turns <= highTurns) {
          double kept = (turns - lowTurns) / (highTurns - lowTurns);
          frequencies[i] = (1 - kept) * frequencies[i] / factor + kept * frequencies[i];
        }
      }
      return frequencies;
    }
  }

  /// YaRN (Peng et al., 2023, arXiv:2309.00071): between two pairs found from how often they turn
  /// within the original length, frequencies go over linearly from kept to divided by the factor,
  /// and attention is sharpened by an amplitude.
  ///
  /// @param factor what long waves are stretched by, at least 1
  /// @param originalPositions the length that was trained first (original_max_position_embeddings)
  /// @param fastTurns pairs that turn more often than this are kept (beta_fast)
  /// @param slowTurns pairs that turn less often than this are divided (beta_slow)
  /// @param truncate whether the two pairs are rounded outwards to whole ones
  /// @param amplitude what cosines and sines are multiplied by (attention_factor)
  record Yarn(
      double factor,
      int originalPositions,
      double fastTurns,
      double slowTurns,
      boolean truncate,
      double amplitude)
      implements RopeScaling {
    public Yarn {
      atLeastOne("factor", factor);
      require(originalPositions >= 1, "original_max_position_embeddings must be at least 1");
      require(
          slowTurns > 0 && fastTurns >= slowTurns && Double.isFinite(fastTurns),
          "beta_slow=" + slowTurns + " must be positive and at most beta_fast=" + fastTurns);
      require(
          amplitude > 0 && Double.isFinite(amplitude),
          "attention_factor=" + amplitude + " must be positive");
    }

    /// The amplitude that the paper finds for a factor, where the model gives none: 0.1 * weight *
    /// log(factor) + 1.
    static double amplitude(double factor, double weight) {
      return factor <= 1 ? 1.0 : 0.1 * weight * StrictMath.log(factor) + 1.0;
    }

    @Override
    public double[] frequencies(int headDim, double theta) {
      double low = pair(fastTurns, headDim, theta);
      double high = pair(slowTurns, headDim, theta);
      if (truncate) {
        low = StrictMath.floor(low);
        high = StrictMath.ceil(high);
      }
      low = Math.max(low, 0);
      high = Math.min(high, headDim - 1);
      double span = low == high ? 0.001 : high - low;
      double[] frequencies = new None().frequencies(headDim, theta);
      for (int i = 0; i < frequencies.length; i++) {
        double divided = Math.clamp((i - low) / span, 0.0, 1.0);
        frequencies[i] = frequencies[i] / factor * divided + frequencies[i] * (1 - divided);
      }
      return frequencies;
    }

    /// The pair, as a real number, that turns so often within the original length.
    private double pair(double turns, int headDim, double theta) {
      return headDim
          * StrictMath.log(originalPositions / (turns * 2 * Math.PI))
          / (2 * StrictMath.log(theta));
    }
  }

  private static void atLeastOne(String field, double value) {
    require(
        value >= 1 && Double.isFinite(value),
        field + "=" + value + " must be a number of at least 1");
  }

  private static void require(boolean holds, String problem) {
    if (!holds) {
      throw new IllegalArgumentException("rope_scaling: " + problem + ".");
    }
  }
}
