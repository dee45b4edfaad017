package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertWeights;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Which encoders the suite has: short and long heads, widths that no tile divides, texts longer
/// than a tile of queries.
final class BertPlan {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int[] LENGTHS = {37, 70, 6, 1, 33};

  private BertPlan() {}

  private static List<BertVectors> plans() {
    return List.of(
        plan("bert", 21, 61, 24, 2, 3, 40, "1e-12"),
        plan("bert with a long head", 22, 67, 70, 1, 1, 34, "1e-5"));
  }

  private static BertVectors plan(
      String name,
      long seed,
      int vocabulary,
      int width,
      int layers,
      int heads,
      int inner,
      String epsilon) {
    String config =
        """
        {"architectures":["BertModel"],"model_type":"bert","vocab_size":%d,"hidden_size":%d,\
        "num_hidden_layers":%d,"num_attention_heads":%d,"intermediate_size":%d,\
        "max_position_embeddings":96,"type_vocab_size":2,"layer_norm_eps":%s,\
        "hidden_act":"gelu"}\
        """
            .formatted(vocabulary, width, layers, heads, inner, epsilon);
    return new BertVectors(
        name,
        config,
        seed,
        IntStream.range(0, LENGTHS.length)
            .mapToObj(s ->
                new BertVectors.Text(DrawnTokens.of(seed, s, LENGTHS[s], vocabulary), Map.of()))
            .toList());
  }

  /// All models with what the reference gives.
  static List<BertVectors> vectors() {
    return plans().stream().map(BertPlan::computed).toList();
  }

  private static BertVectors computed(BertVectors plan) {
    List<Map<Profile, BertVectors.Golden>> golden =
        plan.texts().stream()
            .map(text ->
                (Map<Profile, BertVectors.Golden>)
                    new EnumMap<Profile, BertVectors.Golden>(Profile.class))
            .toList();
    try (BertWeights weights = plan.weights()) {
      for (Profile profile : Profile.values()) {
        ReferenceBert reference = new ReferenceBert(weights, profile);
        for (int s = 0; s < golden.size(); s++) {
          golden.get(s).put(profile, reference.golden(plan.texts().get(s).tokens()));
        }
      }
    }
    return new BertVectors(
        plan.name(),
        plan.config(),
        plan.seed(),
        IntStream.range(0, golden.size())
            .mapToObj(s -> new BertVectors.Text(plan.texts().get(s).tokens(), golden.get(s)))
            .toList());
  }

  /// The file's text.
  static String json(List<BertVectors> models) throws IOException {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode list = root.putArray("models");
    for (BertVectors model : models) {
      ObjectNode node = list.addObject();
      node.put("name", model.name());
      node.set("config", JSON.readTree(model.config()));
      node.put("seed", model.seed());
      ArrayNode texts = node.putArray("texts");
      for (BertVectors.Text text : model.texts()) {
        ObjectNode one = texts.addObject();
        text.tokens().forEach(one.putArray("tokens")::add);
        ObjectNode golden = one.putObject("golden");
        new TreeMap<>(text.golden())
            .forEach((profile, hashes) -> {
              ObjectNode both = golden.putObject(profile.id());
              hashes.rows().forEach(both.putArray("rows")::add);
              hashes.vectors().forEach(both.putArray("vectors")::add);
            });
      }
    }
    return JSON.writeValueAsString(root) + "\n";
  }
}
