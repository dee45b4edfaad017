package io.rigmesh.worker.train;

import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// All that a run carries from one step to the next: the parameters, AdamW's two moments, and how
/// many steps are done.
///
/// With the plan and the tokens, which never change, it decides everything that follows. A
/// [Trainer] changes it in place.
public final class TrainingState {
  private final LlamaParameters parameters;
  private final LlamaParameters moment1;
  private final LlamaParameters moment2;
  private int stepsDone;

  TrainingState(
      LlamaParameters parameters, LlamaParameters moment1, LlamaParameters moment2, int stepsDone) {
    this.parameters = parameters;
    this.moment1 = moment1;
    this.moment2 = moment2;
    this.stepsDone = stepsDone;
  }

  /// The state before the first step of a new model.
  public static TrainingState initial(LlamaConfig config, long seed) {
    return from(LlamaParameters.initial(config, seed));
  }

  /// The state before the first step of a run that starts from given weights, which it takes over.
  public static TrainingState from(LlamaParameters parameters) {
    LlamaConfig config = parameters.config();
    return new TrainingState(
        parameters, LlamaParameters.zeros(config), LlamaParameters.zeros(config), 0);
  }

  /// The memory that a state of this model takes.
  public static long bytes(LlamaConfig config) {
    return 3L * Float.BYTES * config.parameterCount();
  }

  /// The model as it is now.
  public LlamaParameters parameters() {
    return parameters;
  }

  /// The running mean of gradients.
  public LlamaParameters moment1() {
    return moment1;
  }

  /// The running mean of squared gradients.
  public LlamaParameters moment2() {
    return moment2;
  }

  /// How many steps are done: the number of the next one.
  public int stepsDone() {
    return stepsDone;
  }

  /// Every tensor by name in the order that commitments use: all parameters, then all first moments
  /// (`moment1.NAME`), then all second moments (`moment2.NAME`), each in the fixed order of
  /// [LlamaParameters].
  public Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>(parameters.named());
    moment1.named().forEach((name, tensor) -> tensors.put("moment1." + name, tensor));
    moment2.named().forEach((name, tensor) -> tensors.put("moment2." + name, tensor));
    return Collections.unmodifiableMap(tensors);
  }

  void stepDone() {
    stepsDone++;
  }
}
