package io.rigmesh.worker.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.embed.Pooling;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A small BERT encoder of the suite, its texts, and what every token and every text gives.
///
/// @param name of the model
/// @param config its config.json, as Hugging Face writes it
/// @param seed of its weights
/// @param texts what it reads
record BertVectors(String name, String config, long seed, List<Text> texts) {
  private static final int HEX_DIGITS = 16;

  BertVectors {
    texts = List.copyOf(texts);
  }

  /// What a text gives in one profile; every entry is the first 16 digits of a SHA-256.
  ///
  /// @param rows of each token's last hidden state
  /// @param vectors of the text's vector, in the order of [#ways]
  record Golden(List<String> rows, List<String> vectors) {
    Golden {
      rows = List.copyOf(rows);
      vectors = List.copyOf(vectors);
    }
  }

  /// A text.
  ///
  /// @param tokens its tokens
  /// @param golden what it gives, by profile
  record Text(List<Integer> tokens, Map<Profile, Golden> golden) {
    Text {
      tokens = List.copyOf(tokens);
      golden = Map.copyOf(golden);
    }

    Golden in(Profile profile) {
      Golden found = golden.get(profile);
      if (found == null) {
        throw new IllegalStateException("The suite has no rows in " + profile.id() + ".");
      }
      return found;
    }

    int length() {
      return tokens.size();
    }
  }

  /// A way from tokens' vectors to a text's.
  ///
  /// @param normalized whether it is scaled to length one
  record Way(Pooling pooling, boolean normalized) {}

  /// All ways: mean, first token, last token, each plain and normalised.
  static List<Way> ways() {
    List<Way> ways = new ArrayList<>();
    for (Pooling pooling : List.of(Pooling.MEAN, Pooling.CLS, Pooling.LAST_TOKEN)) {
      ways.add(new Way(pooling, false));
      ways.add(new Way(pooling, true));
    }
    return ways;
  }

  static BertVectors read(JsonNode json) {
    List<Text> texts = new ArrayList<>();
    for (JsonNode text : json.required("texts")) {
      Map<Profile, Golden> golden = new EnumMap<>(Profile.class);
      text.required("golden")
          .properties()
          .forEach(e ->
              golden.put(
                  Profile.of(e.getKey()),
                  new Golden(
                      strings(e.getValue().required("rows")),
                      strings(e.getValue().required("vectors")))));
      texts.add(
          new Text(text.required("tokens").valueStream().map(JsonNode::asInt).toList(), golden));
    }
    return new BertVectors(
        json.required("name").asText(),
        json.required("config").toString(),
        json.required("seed").asLong(),
        texts);
  }

  private static List<String> strings(JsonNode list) {
    return list.valueStream().map(JsonNode::asText).toList();
  }

  /// The model's sizes.
  BertConfig sizes() {
    return BertConfig.read(StepVectors.configJson(name, config));
  }

  /// The model's weights: tensor t in the order of [BertWeights#named] is drawn from stream t.
  BertWeights weights() {
    int[] stream = {0};
    return BertWeights.of(
        sizes(), (tensor, shape) -> ConformanceInputs.weight(seed, stream[0]++, tensor, shape));
  }

  /// What is written down of a row.
  static String hash(Tensor row) {
    return new Digest().floats(row).hex().substring(0, HEX_DIGITS);
  }
}
