package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaConfigJson;
import io.rigmesh.worker.train.Trainer;
import io.rigmesh.worker.train.TrainingPlan;
import io.rigmesh.worker.train.TrainingState;
import io.rigmesh.worker.train.TrainingStep;

/// Whole training steps of a new small Llama: initial weights, batches, gradients, clipping, the
/// optimiser and its rate.
final class TrainingOp {
  private static final int TOKENS = 100;
  private static final int WARMUP_STEPS = 2;
  private static final ObjectMapper JSON = new ObjectMapper();

  private TrainingOp() {}

  static OpResults run(Kernels kernels, OpVector v, ConformanceInputs in) {
    ObjectNode config = JSON.createObjectNode();
    config.put("model_type", "llama");
    config.put("vocab_size", v.size("vocabulary"));
    config.put("hidden_size", v.size("cols"));
    config.put("num_hidden_layers", v.size("layers"));
    config.put("num_attention_heads", v.size("heads"));
    config.put("num_key_value_heads", v.size("kvHeads"));
    config.put("head_dim", v.size("headDim"));
    config.put("intermediate_size", v.size("inner"));
    config.put("max_position_embeddings", v.size("length"));
    config.put("rms_norm_eps", 1e-5);
    config.put("tie_word_embeddings", v.size("tied") == 1);
    int[] tokens = in.integers(TOKENS, v.size("vocabulary"));
    TrainingPlan plan =
        new TrainingPlan(
            v.seed(),
            v.size("steps"),
            v.size("batch"),
            v.size("length"),
            1e-2,
            1e-3,
            WARMUP_STEPS,
            0.9,
            0.95,
            1e-8,
            0.1,
            1f);
    TrainingState state =
        TrainingState.initial(
            LlamaConfigJson.read(StepVectors.configJson("a training", config.toString())),
            v.seed());
    Trainer trainer = new Trainer(kernels, plan, state, tokens);
    OpResults results = new OpResults();
    while (!trainer.finished()) {
      TrainingStep step = trainer.step();
      results.add(step.loss()).add(step.gradientNorm());
    }
    state.tensors().values().forEach(results::add);
    return results;
  }
}
