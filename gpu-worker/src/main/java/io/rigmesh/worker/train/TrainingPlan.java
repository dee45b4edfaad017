package io.rigmesh.worker.train;

/// What a training run does, step by step; nothing else but the tokens and the first state decides
/// its bits.
///
/// The optimiser is AdamW with decoupled weight decay on every matrix, the embedding among them,
/// and none on the gains of norms: the split that nanoGPT and Hugging Face's trainer make.
///
/// @param seed the key of all random numbers
/// @param steps how many steps the whole run has; the schedule ends there
/// @param batch the number of sequences in a step
/// @param length the number of tokens predicted in each
/// @param learningRate the highest rate, reached after the warm-up
/// @param learningRateMin the rate at the end
/// @param warmupSteps over which the rate rises in a straight line
/// @param beta1 the decay of the first moment
/// @param beta2 the decay of the second moment
/// @param epsilon added to the root of the second moment
/// @param weightDecay the share of a matrix that one step at rate 1 would take off
/// @param gradientNormMax the global norm that gradients are scaled down to
public record TrainingPlan(
    long seed,
    int steps,
    int batch,
    int length,
    double learningRate,
    double learningRateMin,
    int warmupSteps,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    float gradientNormMax) {
  private static final int STEPS_MAX = 1_000_000_000;
  private static final int ROWS_MAX = 1 << 20;

  /// Refuses plans that cannot be followed.
  public TrainingPlan {
    require(steps >= 1 && steps <= STEPS_MAX, "steps", steps, "from 1 to " + STEPS_MAX);
    require(batch >= 1 && batch <= ROWS_MAX, "batch", batch, "from 1 to " + ROWS_MAX);
    require(length >= 1 && length <= ROWS_MAX, "length", length, "from 1 to " + ROWS_MAX);
    require(
        (long) batch * length <= ROWS_MAX,
        "batch * length",
        (long) batch * length,
        "at most " + ROWS_MAX);
    require(learningRate > 0 && learningRate <= 10, "learningRate", learningRate, "in (0, 10]");
    require(
        learningRateMin >= 0 && learningRateMin <= learningRate,
        "learningRateMin",
        learningRateMin,
        "from 0 to learningRate");
    require(
        warmupSteps >= 0 && warmupSteps <= steps, "warmupSteps", warmupSteps, "from 0 to steps");
    require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "in [0, 1)");
    require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "in [0, 1)");
    require(epsilon >= 1e-12 && epsilon <= 1, "epsilon", epsilon, "from 1e-12 to 1");
    require(weightDecay >= 0 && weightDecay <= 1, "weightDecay", weightDecay, "from 0 to 1");
    require(
        gradientNormMax > 0 && gradientNormMax <= 1e6f,
        "gradientNormMax",
        gradientNormMax,
        "in (0, 1e6]");
  }

  /// The usual choices for a small model: a peak rate that falls to a tenth, betas 0.9 and 0.95,
  /// decay 0.1, clipping at 1.
  public static TrainingPlan usual(
      long seed, int steps, int batch, int length, double learningRate) {
    int warmupSteps = Math.min(steps, Math.max(1, steps / 20));
    return new TrainingPlan(
        seed,
        steps,
        batch,
        length,
        learningRate,
        learningRate / 10,
        warmupSteps,
        0.9,
        0.95,
        1e-8,
        0.1,
        1f);
  }

  /// The learning rate of a step, the first being 0, in double with StrictMath: `learningRate *
  /// (step + 1) / warmupSteps` during the warm-up, then half a cosine from `learningRate` down to
  /// `learningRateMin` at `steps`.
  public double learningRate(int step) {
    if (step < warmupSteps) {
      return learningRate * (step + 1) / warmupSteps;
    }
    double progress =
        Math.min(1.0, (double) (step - warmupSteps) / Math.max(1, steps - warmupSteps));
    return learningRateMin
        + 0.5 * (learningRate - learningRateMin) * (1.0 + StrictMath.cos(StrictMath.PI * progress));
  }

  /// How many tokens a step predicts.
  public int tokensPerStep() {
    return batch * length;
  }

  private static void require(boolean holds, String field, Number value, String bounds) {
    if (!holds) {
      throw new IllegalArgumentException(
          "Training plan: " + field + "=" + value + " must be " + bounds + ".");
    }
  }
}
