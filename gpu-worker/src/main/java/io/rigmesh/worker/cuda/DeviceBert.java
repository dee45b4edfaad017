package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import java.util.ArrayList;
import java.util.List;

/// Where the weights of a BERT encoder lie on the device; queries, keys and values are one matrix.
///
/// @param config the model's sizes
/// @param profile the arithmetic of its linear layers
/// @param words `(V, H)` binary32
/// @param positions `(P, H)` binary32
/// @param types `(types, H)` binary32, the first row being the one that is used
/// @param embeddingNorm of the embeddings
/// @param layers first to last
record DeviceBert(
    BertConfig config,
    Profile profile,
    long words,
    long positions,
    long types,
    Norm embeddingNorm,
    List<Layer> layers) {
  DeviceBert {
    layers = List.copyOf(layers);
  }

  /// A linear layer.
  ///
  /// @param bias `(columns)` binary32
  record Linear(DeviceMatrix weight, long bias) {
    static Linear take(Arena arena, Profile profile, int columns, int depth) {
      return new Linear(
          DeviceMatrix.take(arena, profile, columns, depth), arena.takeWords(columns));
    }
  }

  /// A layer norm; both `(H)` binary32.
  record Norm(long gain, long bias) {
    static Norm take(Arena arena, int width) {
      return new Norm(arena.takeWords(width), arena.takeWords(width));
    }
  }

  /// One encoder layer.
  record Layer(
      Linear qkv,
      Linear attentionOutput,
      Norm attentionNorm,
      Linear intermediate,
      Linear output,
      Norm outputNorm) {}

  /// Takes the memory of a model; nothing is written.
  static DeviceBert take(Arena arena, BertConfig config, Profile profile) {
    int width = config.hiddenSize();
    int inner = config.intermediateSize();
    long words = arena.takeWords((long) config.vocabularySize() * width);
    long positions = arena.takeWords((long) config.positionsMax() * width);
    long types = arena.takeWords((long) config.tokenTypes() * width);
    Norm embeddingNorm = Norm.take(arena, width);
    List<Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      layers.add(
          new Layer(
              Linear.take(arena, profile, 3 * width, width),
              Linear.take(arena, profile, width, width),
              Norm.take(arena, width),
              Linear.take(arena, profile, inner, width),
              Linear.take(arena, profile, width, inner),
              Norm.take(arena, width)));
    }
    return new DeviceBert(config, profile, words, positions, types, embeddingNorm, layers);
  }
}
