package io.rigmesh.worker.llama;

import java.util.LinkedHashMap;
import java.util.Map;

/// The tensors of a model of the Llama family, named as Hugging Face names them in a model with a
/// head, with their shapes, in the fixed order: the embedding, then layer by layer, then the final
/// norm, then the head unless it is tied. Merkle roots and sums of norms rely on this order.
final class LlamaTensors {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String FINAL_NORM = "model.norm.weight";
  static final String HEAD = "lm_head.weight";

  static final String ATTENTION_NORM = "input_layernorm.weight";
  static final String QUERY = "self_attn.q_proj";
  static final String KEY = "self_attn.k_proj";
  static final String VALUE = "self_attn.v_proj";
  static final String QUERY_NORM = "self_attn.q_norm.weight";
  static final String KEY_NORM = "self_attn.k_norm.weight";
  static final String OUTPUT = "self_attn.o_proj";
  static final String FEED_FORWARD_NORM = "post_attention_layernorm.weight";
  static final String GATE = "mlp.gate_proj.weight";
  static final String UP = "mlp.up_proj.weight";
  static final String DOWN = "mlp.down_proj.weight";

  private LlamaTensors() {}

  /// The name of a layer's tensor.
  static String layer(int layer, String part) {
    return "model.layers." + layer + "." + part;
  }

  /// All tensors that a model of this config has.
  static Map<String, int[]> shapes(LlamaConfig config) {
    int width = config.hiddenSize();
    int inner = config.feedForwardSize();
    Map<String, int[]> shapes = new LinkedHashMap<>();
    shapes.put(EMBEDDING, new int[] {config.vocabularySize(), width});
    for (int layer = 0; layer < config.layers(); layer++) {
      shapes.put(layer(layer, ATTENTION_NORM), new int[] {width});
      linear(shapes, layer(layer, QUERY), config.queryCols(), width, config.qkvBias());
      linear(shapes, layer(layer, KEY), config.keyCols(), width, config.qkvBias());
      linear(shapes, layer(layer, VALUE), config.keyCols(), width, config.qkvBias());
      if (config.qkNorm()) {
        shapes.put(layer(layer, QUERY_NORM), new int[] {config.headDim()});
        shapes.put(layer(layer, KEY_NORM), new int[] {config.headDim()});
      }
      linear(shapes, layer(layer, OUTPUT), width, config.queryCols(), config.outputBias());
      shapes.put(layer(layer, FEED_FORWARD_NORM), new int[] {width});
      shapes.put(layer(layer, GATE), new int[] {inner, width});
      shapes.put(layer(layer, UP), new int[] {inner, width});
      shapes.put(layer(layer, DOWN), new int[] {width, inner});
    }
    shapes.put(FINAL_NORM, new int[] {width});
    if (!config.tiedHead()) {
      shapes.put(HEAD, new int[] {config.vocabularySize(), width});
    }
    return shapes;
  }

  private static void linear(
      Map<String, int[]> shapes, String part, int out, int in, boolean bias) {
    shapes.put(part + ".weight", new int[] {out, in});
    if (bias) {
      shapes.put(part + ".bias", new int[] {out});
    }
  }
}
