package io.rigmesh.worker.bert;

import java.util.LinkedHashMap;
import java.util.Map;

/// The tensors of a Hugging Face `BertModel`, by name.
final class BertTensors {

  static final String WORDS = "embeddings.word_embeddings.weight";
  static final String POSITIONS = "embeddings.position_embeddings.weight";
  static final String TYPES = "embeddings.token_type_embeddings.weight";
  static final String EMBEDDING_NORM = "embeddings.LayerNorm";

  static final String QUERY = "attention.self.query";
  static final String KEY = "attention.self.key";
  static final String VALUE = "attention.self.value";
  static final String ATTENTION_OUTPUT = "attention.output.dense";
  static final String ATTENTION_NORM = "attention.output.LayerNorm";
  static final String INTERMEDIATE = "intermediate.dense";
  static final String OUTPUT = "output.dense";
  static final String OUTPUT_NORM = "output.LayerNorm";

  private BertTensors() {}

  /// The name of a part of a layer, to which `.weight` or `.bias` is appended.
  static String layer(int layer, String part) {
    return "encoder.layer." + layer + "." + part;
  }

  /// The names of all tensors that the encoder needs, with their shapes; linear weights are `(out,
  /// in)`.
  static Map<String, long[]> shapes(BertConfig config) {
    long hidden = config.hiddenSize();
    long intermediate = config.intermediateSize();
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put(WORDS, new long[] {config.vocabularySize(), hidden});
    shapes.put(POSITIONS, new long[] {config.positionsMax(), hidden});
    shapes.put(TYPES, new long[] {config.tokenTypes(), hidden});
    norm(shapes, EMBEDDING_NORM, hidden);
    for (int i = 0; i < config.layers(); i++) {
      linear(shapes, layer(i, QUERY), hidden, hidden);
      linear(shapes, layer(i, KEY), hidden, hidden);
      linear(shapes, layer(i, VALUE), hidden, hidden);
      linear(shapes, layer(i, ATTENTION_OUTPUT), hidden, hidden);
      norm(shapes, layer(i, ATTENTION_NORM), hidden);
      linear(shapes, layer(i, INTERMEDIATE), intermediate, hidden);
      linear(shapes, layer(i, OUTPUT), hidden, intermediate);
      norm(shapes, layer(i, OUTPUT_NORM), hidden);
    }
    return shapes;
  }

  private static void linear(Map<String, long[]> shapes, String part, long out, long in) {
    shapes.put(part + ".weight", new long[] {out, in});
    shapes.put(part + ".bias", new long[] {out});
  }

  private static void norm(Map<String, long[]> shapes, String part, long size) {
    shapes.put(part + ".weight", new long[] {size});
    shapes.put(part + ".bias", new long[] {size});
  }
}
