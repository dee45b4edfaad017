package io.rigmesh.worker.train;

import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaLoss;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// Takes training steps on a [TrainingState]: batch, loss, gradients, clipping by their global
/// norm, AdamW.
///
/// Steps are exact: the same state, plan and tokens give the same next state on every machine, with
/// every backend and any number of threads. Memory is taken once, by the constructor. Serves one
/// thread at a time.
public final class Trainer {
  private final Kernels kernels;
  private final TrainingPlan plan;
  private final TrainingState state;
  private final TokenBatches batches;
  private final LlamaLoss loss;
  private final LlamaParameters gradients;
  private final List<Tensor> gradientList;
  private final int[] inputs;
  private final int[] targets;

  /// @param kernels what computes; it stays the caller's to close
  /// @param state what the steps change
  /// @param tokens the training text, every token in the model's vocabulary
  public Trainer(Kernels kernels, TrainingPlan plan, TrainingState state, int[] tokens) {
    this.kernels = kernels;
    this.plan = plan;
    this.state = state;
    this.batches = new TokenBatches(tokens, plan);
    LlamaConfig config = state.parameters().config();
    this.loss = new LlamaLoss(kernels, config, plan.batch(), plan.length());
    this.gradients = LlamaParameters.zeros(config);
    this.gradientList = List.copyOf(gradients.named().values());
    this.inputs = new int[plan.tokensPerStep()];
    this.targets = new int[plan.tokensPerStep()];
  }

  /// The memory that training takes beside the tokens and the kernels' own.
  public static long bytes(LlamaConfig config, TrainingPlan plan) {
    return TrainingState.bytes(config)
        + Float.BYTES * config.parameterCount()
        + LlamaLoss.bytes(config, plan.batch(), plan.length());
  }

  /// What the steps change.
  public TrainingState state() {
    return state;
  }

  /// Whether all steps of the plan are done.
  public boolean finished() {
    return state.stepsDone() >= plan.steps();
  }

  /// Takes the next step.
  ///
  /// @throws IllegalStateException when the plan has no more steps
  /// @throws io.rigmesh.worker.kernels.NonFiniteException when the training diverged; the state is
  ///   then of no use, go back to a checkpoint
  public TrainingStep step() {
    if (finished()) {
      throw new IllegalStateException("All " + plan.steps() + " steps of the plan are done.");
    }
    int step = state.stepsDone();
    batches.fill(step, inputs, targets);
    float mean = loss.gradients(state.parameters(), inputs, targets, gradients);
    float norm = kernels.gradientNorm(gradientList);
    float scale = Kernels.clipScale(norm, plan.gradientNormMax());
    double learningRate = plan.learningRate(step);
    AdamW matrices = update(step, learningRate, plan.weightDecay(), scale);
    AdamW gains = update(step, learningRate, 0.0, scale);
    state
        .parameters()
        .named()
        .forEach((name, parameter) ->
            kernels.adamW(
                parameter.rank() > 1 ? matrices : gains,
                gradients.tensor(name),
                parameter,
                state.moment1().tensor(name),
                state.moment2().tensor(name)));
    state.stepDone();
    return new TrainingStep(step, mean, norm, learningRate, plan.tokensPerStep());
  }

  private AdamW update(int step, double learningRate, double weightDecay, float scale) {
    return AdamW.step(
        step + 1, learningRate, plan.beta1(), plan.beta2(), plan.epsilon(), weightDecay, scale);
  }
}
