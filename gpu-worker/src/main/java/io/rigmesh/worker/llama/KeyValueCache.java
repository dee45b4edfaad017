package io.rigmesh.worker.llama;

import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The rotated keys and the values of every layer for the positions of one sequence seen so far.
///
/// Made by [LlamaDecoder#cache] and written by [LlamaDecoder#append] alone. Row p of a layer's
/// tensors is position p.
public final class KeyValueCache {
  private final int positionsMax;
  private final List<Tensor> keys = new ArrayList<>(); // L of (positionsMax, kvHeads * headDim)
  private final List<Tensor> values = new ArrayList<>(); // L of (positionsMax, kvHeads * headDim)
  private int positions;

  KeyValueCache(LlamaConfig config, int positionsMax) {
    this.positionsMax = positionsMax;
    for (int layer = 0; layer < config.layers(); layer++) {
      keys.add(Tensor.zeros(positionsMax, config.keyCols()));
      values.add(Tensor.zeros(positionsMax, config.keyCols()));
    }
  }

  /// The memory that a cache for so many positions takes.
  public static long bytes(LlamaConfig config, int positionsMax) {
    return 2L * config.layers() * positionsMax * config.keyCols() * Float.BYTES;
  }

  /// How many positions are filled: the next token's position.
  public int positions() {
    return positions;
  }

  /// How many positions fit.
  public int positionsMax() {
    return positionsMax;
  }

  /// Forgets all positions from `length` on, so that another continuation can be tried.
  public void truncate(int length) {
    if (length < 0 || length > positions) {
      throw new IllegalArgumentException(
          "The cache holds " + positions + " positions and cannot be cut to " + length + ".");
    }
    positions = length;
  }

  Tensor keys(int layer) {
    return keys.get(layer);
  }

  Tensor values(int layer) {
    return values.get(layer);
  }

  void advance(int count) {
    positions += count;
  }
}
