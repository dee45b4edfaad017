package io.rigmesh.worker.task;

import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.train.TrainingPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// A training job as the engine sees it: its plan, and which of its steps are committed states.
///
/// @param job the job
/// @param task its settings
/// @param plan the same for the trainer
public record TrainingJob(Job job, Task.Train task, TrainingPlan plan) {
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.95;
  private static final double EPSILON = 1e-8;
  private static final double RATE_MIN_SHARE = 0.1;

  /// Each checkpoint is a folder of four files in the output.
  private static final int CHECKPOINTS_MAX = FolderManifest.FILES_MAX / 4 - 2;

  /// Reads a job. The schedule ends at a tenth of the peak rate, the betas are 0.9 and 0.95, and
  /// epsilon is 1e-8; all else is the task's.
  ///
  /// @throws InvalidJobException if the settings do not fit together
  public static TrainingJob of(Job job, Task.Train task) {
    if ((task.steps() + task.checkpointEverySteps() - 1L) / task.checkpointEverySteps()
        > CHECKPOINTS_MAX) {
      throw new InvalidJobException(
          "%d steps with a checkpoint every %d are more than %d checkpoints; make them rarer."
              .formatted(task.steps(), task.checkpointEverySteps(), CHECKPOINTS_MAX));
    }
    try {
      TrainingPlan plan =
          new TrainingPlan(
              job.seed(),
              task.steps(),
              task.batch(),
              task.context(),
              task.learningRate(),
              task.learningRate() * RATE_MIN_SHARE,
              task.warmupSteps(),
              BETA_1,
              BETA_2,
              EPSILON,
              task.weightDecay(),
              task.clipNorm());
      return new TrainingJob(job, task, plan);
    } catch (IllegalArgumentException e) {
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    }
  }

  /// Whether the state after a step is committed: every so many steps, and after the last.
  public boolean isCheckpoint(int step) {
    return step % task.checkpointEverySteps() == 0 || step == task.steps();
  }

  /// The steps after which the state is committed, ascending, without 0.
  public List<Integer> checkpoints() {
    return checkpoints(task.steps());
  }

  /// The same up to a step that is one of them.
  public List<Integer> checkpoints(int lastStep) {
    List<Integer> steps = new ArrayList<>();
    for (int step = task.checkpointEverySteps();
        step < lastStep;
        step += task.checkpointEverySteps()) {
      steps.add(step);
    }
    steps.add(lastStep);
    return List.copyOf(steps);
  }

  /// The milestone before the last that ends with a step, if one does.
  public OptionalInt milestoneAt(int step) {
    for (int number = 1; number < task.milestones(); number++) {
      if (task.milestoneStep(number) == step) {
        return OptionalInt.of(number);
      }
    }
    return OptionalInt.empty();
  }

  /// How many training tokens are consumed once `step` steps are done.
  public long cursor(int step) {
    return (long) step * plan.tokensPerStep();
  }
}
