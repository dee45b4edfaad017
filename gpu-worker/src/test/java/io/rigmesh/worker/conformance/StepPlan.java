package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.llama.LlamaWeights;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Which models the suite has: between them grouped and single heads, tied and untied heads,
/// biases, norms of heads, windows shorter than a text, layers without rotation, scaled rotation,
/// and widths that no tile divides.
final class StepPlan {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int[] LENGTHS = {37, 33, 6};

  private StepPlan() {}

  /// The models without their golden rows.
  private static List<StepVectors> plans() {
    return List.of(
        plan(
            "llama",
            11,
            """
            {"architectures":["LlamaForCausalLM"],"model_type":"llama","vocab_size":101,\
            "hidden_size":40,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,\
            "head_dim":10,"intermediate_size":72,"max_position_embeddings":512,"rms_norm_eps":1e-5,\
            "rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3","factor":8.0,\
            "low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":64},\
            "tie_word_embeddings":true}\
            """),
        plan(
            "mistral",
            12,
            """
            {"architectures":["MistralForCausalLM"],"model_type":"mistral","vocab_size":67,\
            "hidden_size":36,"num_hidden_layers":2,"num_attention_heads":6,"num_key_value_heads":1,\
            "head_dim":6,"intermediate_size":50,"max_position_embeddings":512,"rms_norm_eps":1e-6,\
            "rope_theta":10000.0,"sliding_window":7,"tie_word_embeddings":false}\
            """),
        plan(
            "qwen2",
            13,
            """
            {"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","vocab_size":67,\
            "hidden_size":24,"num_hidden_layers":1,"num_attention_heads":3,"num_key_value_heads":3,\
            "intermediate_size":34,"max_position_embeddings":512,"rms_norm_eps":1e-6,\
            "rope_theta":1000000.0,"use_sliding_window":false,"tie_word_embeddings":true}\
            """),
        plan(
            "qwen3",
            14,
            """
            {"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","vocab_size":67,\
            "hidden_size":30,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,\
            "head_dim":16,"intermediate_size":34,"max_position_embeddings":512,"rms_norm_eps":1e-6,\
            "rope_theta":1000000.0,"attention_bias":false,"use_sliding_window":false,\
            "tie_word_embeddings":false}\
            """),
        plan(
            "smollm3",
            15,
            """
            {"architectures":["SmolLM3ForCausalLM"],"model_type":"smollm3","vocab_size":59,\
            "hidden_size":28,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,\
            "head_dim":8,"intermediate_size":30,"max_position_embeddings":64,"rms_norm_eps":1e-6,\
            "rope_theta":20000.0,"rope_scaling":{"rope_type":"yarn","factor":4.0,\
            "original_max_position_embeddings":16},"attention_bias":true,"no_rope_layers":[1,0],\
            "use_sliding_window":true,"sliding_window":11,"tie_word_embeddings":true}\
            """));
  }

  private static StepVectors plan(String name, long seed, String config) {
    StepVectors bare = new StepVectors(name, config, seed, List.of());
    int vocabulary = bare.sizes().vocabularySize();
    return new StepVectors(
        name,
        config,
        seed,
        IntStream.range(0, LENGTHS.length)
            .mapToObj(s ->
                new StepVectors.Sequence(DrawnTokens.of(seed, s, LENGTHS[s], vocabulary), Map.of()))
            .toList());
  }

  /// All models with the rows that the reference gives.
  static List<StepVectors> vectors() {
    return plans().stream().map(StepPlan::computed).toList();
  }

  private static StepVectors computed(StepVectors plan) {
    List<Map<Profile, List<String>>> rows =
        plan.sequences().stream()
            .map(
                s -> (Map<Profile, List<String>>) new EnumMap<Profile, List<String>>(Profile.class))
            .toList();
    try (LlamaWeights weights = plan.weights()) {
      for (Profile profile : Profile.values()) {
        ReferenceForward forward = new ReferenceForward(weights, profile);
        for (int s = 0; s < rows.size(); s++) {
          rows.get(s).put(profile, forward.rows(plan.sequences().get(s).tokens()));
        }
      }
    }
    return new StepVectors(
        plan.name(),
        plan.config(),
        plan.seed(),
        IntStream.range(0, rows.size())
            .mapToObj(s -> new StepVectors.Sequence(plan.sequences().get(s).tokens(), rows.get(s)))
            .toList());
  }

  /// The file's text.
  static String json(List<StepVectors> models) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode list = root.putArray("models");
    for (StepVectors model : models) {
      ObjectNode node = list.addObject();
      node.put("name", model.name());
      node.set("config", JSON.readTree(model.config()));
      node.put("seed", model.seed());
      ArrayNode sequences = node.putArray("sequences");
      for (StepVectors.Sequence sequence : model.sequences()) {
        ObjectNode one = sequences.addObject();
        sequence.tokens().forEach(one.putArray("tokens")::add);
        ObjectNode rows = one.putObject("rows");
        new TreeMap<>(sequence.rows())
            .forEach((profile, hashes) -> hashes.forEach(rows.putArray(profile.id())::add));
      }
    }
    return JSON.writeValueAsString(root) + "\n";
  }
}
