package io.rigmesh.worker.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Hands a [TrainingPlan] to the torch oracle.
public final class TorchPlan {
  private TorchPlan() {}

  /// Writes `schedule.json` into a folder.
  public static void write(TrainingPlan plan, Path folder) throws IOException {
    Files.writeString(
        folder.resolve("schedule.json"),
        """
        {"steps": %d, "batch": %d, "length": %d, "learningRate": %s, "learningRateMin": %s,
         "warmupSteps": %d, "beta1": %s, "beta2": %s, "epsilon": %s, "weightDecay": %s,
         "gradientNormMax": %s}
        """
            .formatted(
                plan.steps(),
                plan.batch(),
                plan.length(),
                plan.learningRate(),
                plan.learningRateMin(),
                plan.warmupSteps(),
                plan.beta1(),
                plan.beta2(),
                plan.epsilon(),
                plan.weightDecay(),
                plan.gradientNormMax()));
  }
}
