package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ElementType;
import io.rigmesh.worker.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.List;

/// Where a model's weights lie on the device. Projections that read the same rows are joined to one
/// matrix, which is read by one launch: queries, keys and values; gates and ups.
///
/// @param config the model's sizes
/// @param profile the arithmetic of its linear layers
/// @param embedding `(V, D)` as the file has it
/// @param embeddingType of its elements
/// @param layers the blocks
/// @param finalNorm `(D)` binary32
/// @param head `(V, D)`
/// @param cos `(positions, d/2)` binary32
/// @param sin `(positions, d/2)` binary32
/// @param positions how many positions the rotary table has
record DeviceLlama(
    LlamaConfig config,
    Profile profile,
    long embedding,
    ElementType embeddingType,
    List<Layer> layers,
    long finalNorm,
    DeviceMatrix head,
    long cos,
    long sin,
    int positions) {
  DeviceLlama {
    layers = List.copyOf(layers);
  }

  /// One block; vectors are binary32, and 0 stands for one that the model lacks.
  record Layer(
      long attentionNorm,
      DeviceMatrix qkv,
      long qkvBias,
      long queryNorm,
      long keyNorm,
      DeviceMatrix output,
      long outputBias,
      long feedForwardNorm,
      DeviceMatrix gateUp,
      DeviceMatrix down) {}

  /// Takes the memory of a model; nothing is written.
  static DeviceLlama take(
      Arena arena, LlamaConfig config, Profile profile, ElementType embeddingType, int positions) {
    int width = config.hiddenSize();
    int d = config.headDim();
    long embedding = arena.take((long) config.vocabularySize() * width * embeddingType.bytes());
    List<Layer> layers = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      int qkvCols = config.queryCols() + 2 * config.keyCols();
      layers.add(
          new Layer(
              arena.takeWords(width),
              DeviceMatrix.take(arena, profile, qkvCols, width),
              config.qkvBias() ? arena.takeWords(qkvCols) : 0,
              config.qkNorm() ? arena.takeWords(d) : 0,
              config.qkNorm() ? arena.takeWords(d) : 0,
              DeviceMatrix.take(arena, profile, width, config.queryCols()),
              config.outputBias() ? arena.takeWords(width) : 0,
              arena.takeWords(width),
              DeviceMatrix.take(arena, profile, 2 * config.feedForwardSize(), width),
              DeviceMatrix.take(arena, profile, width, config.feedForwardSize())));
    }
    return new DeviceLlama(
        config,
        profile,
        embedding,
        embeddingType,
        layers,
        arena.takeWords(width),
        DeviceMatrix.take(arena, profile, config.vocabularySize(), width),
        arena.takeWords((long) positions * d / 2),
        arena.takeWords((long) positions * d / 2),
        positions);
  }
}
