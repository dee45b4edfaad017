package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaConfigJson;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A small model of the suite, its sequences of tokens, and what every row of them gives.
///
/// @param name of the model
/// @param config its config.json, as Hugging Face writes it
/// @param seed of its weights
/// @param sequences the texts
record StepVectors(String name, String config, long seed, List<Sequence> sequences) {
  private static final int CONFIG_BYTES_MAX = 1 << 20;
  private static final int HEX_DIGITS = 16;

  StepVectors {
    sequences = List.copyOf(sequences);
  }

  /// A text.
  ///
  /// @param tokens its tokens
  /// @param rows by profile, for each position the first 16 digits of the SHA-256 of its last
  ///   hidden state and its logits
  record Sequence(List<Integer> tokens, Map<Profile, List<String>> rows) {
    Sequence {
      tokens = List.copyOf(tokens);
      rows = Map.copyOf(rows);
    }

    /// The golden hash of a row.
    String row(Profile profile, int position) {
      return rows.getOrDefault(profile, List.of()).get(position);
    }

    int length() {
      return tokens.size();
    }
  }

  static StepVectors read(JsonNode json) {
    List<Sequence> sequences = new ArrayList<>();
    for (JsonNode sequence : json.required("sequences")) {
      Map<Profile, List<String>> rows = new HashMap<>();
      sequence
          .required("rows")
          .properties()
          .forEach(e ->
              rows.put(
                  Profile.of(e.getKey()),
                  e.getValue().valueStream().map(JsonNode::asText).toList()));
      sequences.add(
          new Sequence(
              sequence.required("tokens").valueStream().map(JsonNode::asInt).toList(), rows));
    }
    return new StepVectors(
        json.required("name").asText(),
        json.required("config").toString(),
        json.required("seed").asLong(),
        sequences);
  }

  /// The model's sizes.
  LlamaConfig sizes() {
    return LlamaConfigJson.read(configJson(name, config));
  }

  /// A config as if it was read from a model's folder.
  static JsonField configJson(String name, String config) {
    try {
      Path file = Files.createTempFile("rigmesh-conformance", ".json");
      try {
        Files.writeString(file, config);
        return JsonField.read(file, CONFIG_BYTES_MAX);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the config of " + name + " cannot be written for reading", e);
    }
  }

  /// The model's weights: tensor t in the order of [LlamaWeights#named] is drawn from stream t.
  LlamaWeights weights() {
    int[] stream = {0};
    return LlamaWeights.of(
        sizes(), (tensor, shape) -> ConformanceInputs.weight(seed, stream[0]++, tensor, shape));
  }

  /// What is written down of a row.
  static String rowHash(Tensor hidden, Tensor logits) {
    return new Digest().floats(hidden).floats(logits).hex().substring(0, HEX_DIGITS);
  }
}
